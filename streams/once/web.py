"""Web: Faust's web server without Faust's own pages."""

from typing import Any, ClassVar

from faust.web.drivers.aiohttp import Web as AiohttpWeb


class Web(AiohttpWeb):
    """Serves the app's pages alone.

    Faust's own hand out table data without asking who reads it, and are not to be switched on by a flag.
    """

    default_blueprints: ClassVar[Any] = ()
    debug_blueprints: ClassVar[Any] = ()
    optional_blueprints: ClassVar[Any] = ()
    production_blueprints: ClassVar[Any] = ()
