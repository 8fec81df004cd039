"""The vendor's package as the tests have it, and what is declared beside it."""

import shutil
from pathlib import Path

import pytest

from compose.declared import Declared, services_of
from compose.package import Shipped, read
from infra.config import StackConfig
from infra.stackfile import stack_of
from tests.infra.aipp.support import configured
from tests.infra.aipp.support import declared as recorded
from toolchain.ensure import ready
from toolchain.tools import COMPOSE

SAMPLES = Path(__file__).with_name("samples")
FILE, VARIABLES = SAMPLES / "docker-compose.yml", SAMPLES / "variables.env"


@pytest.fixture(scope="module")
def reader() -> Path:
    place = ready(COMPOSE)
    if place is None:
        pytest.skip("the Compose reader is not built: python -m toolchain compose")
    return place / COMPOSE.binaries[0]


TAKEN_OVER = {
    "aipp.backend.environment": {"SPRING_PROFILES_ACTIVE": "prod", "FEATURES": "a", "GONE": "b"},
    "aipp.backend.secretEnvironment": {"DB_PASSWORD": "aippDatabasePassword", "JWT_SECRET": "jwtSecret"},
}


@pytest.fixture(scope="module")
def here() -> dict[str, Declared]:
    return services_of(recorded(changes=TAKEN_OVER), configured(changes=TAKEN_OVER))


@pytest.fixture(scope="module")
def stack() -> StackConfig:
    return stack_of("dev")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The package as it lies at the vendor's: the variables are called .env there."""
    shutil.copy(FILE, tmp_path)
    shutil.copy(VARIABLES, tmp_path / ".env")
    return tmp_path


@pytest.fixture
def package(files: Path, reader: Path) -> list[Shipped]:
    return read(files / FILE.name, files / ".env", reader)
