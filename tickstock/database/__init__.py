"""Tables, bulk writes and the queries behind the pages."""
