"""What `start_all_services.py` and `run_tests.py` do: set up, start, watch and stop. Standard library only.

It runs on the system's Python, before anything is installed; the services run on `.venv`'s. `startup.py` tells the story:

    options        flags, environment and .env to one set of settings
    ports, locks   what would be in the way, found before anything is started
    setup, browser_files   .venv and the third-party files of the page, skipped while their stamps hold
    services       which services, with which commands and environment
    supervisor     starts, restarts and stops them; each one is a `service.Service`
"""
