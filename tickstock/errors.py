"""TickStock's exceptions. Each message says what was expected, what was found and what to do.

TickStockError
├── SettingError            a setting is unknown or has a bad value
├── MessageError            a message on Redis or from the feed does not follow its contract
├── FeedError
│   ├── FeedRefused         the feed said no, and asking again cannot help (a bad key, a plan without access)
│   ├── FeedBusy            the account's connections are used up: wait, then try again
│   └── FeedLost            the connection ended or never came about: try again
├── RestError               the vendor's REST interface answered with an error, or not at all
│   ├── RestNotFound        the vendor does not have what was asked for
│   └── RestRefused         the key or the plan does not allow what was asked: asking again cannot help
├── WatchlistError
│   ├── WatchlistUnknown    there is no such list (any more)
│   └── WatchlistConflict   its name is taken, or there are as many lists as there can be
└── DatabaseError           the database is of a kind or in a state that TickStock cannot use, or refuses a row
    └── DatabaseUnavailable it cannot be reached, is locked or full at this moment: nothing was written, try again
"""


class TickStockError(Exception):
    """The root of every exception that TickStock raises on purpose."""


class SettingError(TickStockError):
    """A setting is unknown or has a bad value."""


class MessageError(TickStockError):
    """A message on Redis or from the feed does not follow its contract."""


class FeedError(TickStockError):
    """Something about the connection to the feed."""


class FeedRefused(FeedError):
    """The feed said no, and asking again cannot help."""


class FeedBusy(FeedError):
    """The account's connections are used up."""


class FeedLost(FeedError):
    """The connection ended or never came about."""


class RestError(TickStockError):
    """The vendor's REST interface answered with an error, or not at all."""


class RestNotFound(RestError):
    """The vendor does not have what was asked for."""


class RestRefused(RestError):
    """The key or the plan does not allow what was asked."""


class WatchlistError(TickStockError):
    """A watchlist cannot be changed as it was asked for."""


class WatchlistUnknown(WatchlistError):
    """There is no such list (any more)."""


class WatchlistConflict(WatchlistError):
    """A list's name is taken, or there are as many lists as there can be."""


class DatabaseError(TickStockError):
    """The database is of a kind or in a state that TickStock cannot use, or refuses a row."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached, is locked or full at this moment: nothing was written, try again."""
