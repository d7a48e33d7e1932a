"""What gunicorn serves: `api.main:api()` and `api.main:conductor()`."""

import logging
from typing import Any

import falcon
import falcon.asgi

from api.app import create_app
from api.authentication import make_authenticator
from api.conductor import create_conductor
from api.raw_path import App, keep_encoded_slashes
from api.services import make_services
from coffer.database import connect
from coffer.redis_urls import connect_redis
from coffer.reports import Reports
from coffer.settings import load_settings


def api() -> App:
    """The REST API with the settings of this installation."""
    logging.basicConfig(level=logging.INFO)
    settings = load_settings()
    connect(settings.database_url)
    return keep_encoded_slashes(create_app(make_services(settings), make_authenticator(settings)))


def conductor() -> "falcon.asgi.App[Any, Any]":
    """The conductor endpoint with the settings of this installation."""
    logging.basicConfig(level=logging.INFO)
    settings = load_settings()
    connect(settings.database_url)
    return create_conductor(Reports(connect_redis(settings.redis_url)))
