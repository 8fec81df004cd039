"""The issuer away, changed, or set up wrongly; and its own authority."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chatbot.auth import COOKIE
from tests.service.chatbot.api.conftest import Serve
from tests.service.chatbot.api.oidc_browser import browser, chat_at, consent, leave, log_in
from tests.service.chatbot.oidc_provider import QUIET, OidcProvider
from tests.service.chatbot.servers import free_port

pytestmark = QUIET


async def test_while_the_issuer_is_away_keys_and_sessions_go_on(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as kim, browser(chat) as late:
        await log_in(kim, "kim")
        back = await consent(await leave(late), "lee")
        provider.stop()
        assert (await kim.get("/api/conversations")).status_code == 200
        assert (await chat.get("/api/conversations")).status_code == 200
        response = await late.get(back)
        assert (response.status_code, response.headers["retry-after"]) == (503, "30")
        assert "does not answer" in response.text
        assert "연결할 수 없습니다" in response.text
        assert COOKIE not in late.cookies
        assert (await chat.get("/readyz")).status_code == 200
        assert 'chatbot_logins_total{outcome="away"} 1.0' in (await chat.get("/metrics")).text
        provider.start()


async def test_a_chat_that_starts_before_its_issuer_lets_people_in_later(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    settings = provider.settings(tmp_path / "client-secret")
    provider.stop()
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        assert (await person.get("/login/start")).status_code == 503
        provider.start()
        assert settings["oidc_client_id"] != provider.client_id
        response = await person.get("/login/start")
        assert response.status_code == 303
        assert response.headers["location"].startswith(provider.url)


async def test_signing_out_works_without_the_issuer(
    provider: OidcProvider, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbot.oidc.issuer.METADATA_SECONDS", 0)
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        await log_in(person, "kim")
        provider.stop()
        assert (await person.delete("/api/sessions")).status_code == 204
        assert (await person.get("/api/me")).status_code == 401
        provider.start()


@pytest.mark.parametrize(
    "metadata, shown",
    [
        ({"issuer": "https://another.example"}, "not set up correctly"),
        ({"token_endpoint": "http://10.0.0.9/token"}, "not set up correctly"),
        ({"jwks_uri": None}, "not set up correctly"),
        ({"authorization_endpoint": 5}, "not set up correctly"),
    ],
)
async def test_an_issuer_that_is_another_one_is_not_asked(
    provider: OidcProvider, serve: Serve, tmp_path: Path, metadata: dict[str, object], shown: str
) -> None:
    provider.metadata = metadata
    async with chat_at(provider, serve, tmp_path) as chat, browser(chat) as person:
        response = await person.get("/login/start")
        assert (response.status_code, shown in response.text) == (503, True)


async def test_a_wrong_client_secret_is_the_administrators_to_mend(
    provider: OidcProvider, serve: Serve, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("wrong-secret-canary")
    async with chat_at(provider, serve, tmp_path, oidc_client_secret_file=wrong) as chat, browser(chat) as person:
        response = await log_in(person, "kim")
        assert (response.status_code, "not set up correctly" in response.text) == (503, True)
        assert "canary" not in response.text


async def test_new_keys_of_the_issuer_are_fetched(provider: OidcProvider, serve: Serve, tmp_path: Path) -> None:
    async with chat_at(provider, serve, tmp_path) as chat:
        async with browser(chat) as person:
            assert (await log_in(person, "kim")).status_code == 303
        provider.renew_keys()
        async with browser(chat) as person:
            assert (await log_in(person, "lee")).status_code == 303


def authority(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """A root, and a certificate for `localhost` that it signed, with its key."""
    now = datetime.datetime.now(datetime.UTC)

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        is_root = key is signer
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        return builder.sign(signer, hashes.SHA256())

    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    paths = folder / "ca.crt", folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(certificate("root", root_key, root_key).public_bytes(pem))
    paths[1].write_bytes(certificate("localhost", key, root_key).public_bytes(pem))
    paths[2].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return paths[0], (paths[1], paths[2])


async def test_an_issuer_with_an_authority_of_its_own(serve: Serve, tmp_path: Path) -> None:
    root, certificate = authority(tmp_path)
    with OidcProvider(f"http://127.0.0.1:{free_port()}/login/callback", certificate) as provider:
        provider.add("kim", name="Kim")
        async with chat_at(provider, serve, tmp_path, oidc_ca_file=root) as chat, browser(chat) as person:
            assert (await log_in(person, "kim")).status_code == 303
            assert (await person.get("/api/me")).json()["name"] == "Kim"


async def test_stated_authorities_are_trusted_beside_the_systems(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, certificate = authority(tmp_path)
    (tmp_path / "other").mkdir()
    stated, _ = authority(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(system))
    with OidcProvider(f"http://127.0.0.1:{free_port()}/login/callback", certificate) as provider:
        provider.add("kim", name="Kim")
        async with chat_at(provider, serve, tmp_path, oidc_ca_file=stated) as chat, browser(chat) as person:
            assert (await log_in(person, "kim")).status_code == 303


async def test_an_issuer_whose_authority_is_not_known_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    _, certificate = authority(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = authority(tmp_path / "other")
    with OidcProvider(f"http://127.0.0.1:{free_port()}/login/callback", certificate) as provider:
        for number, ca_file in enumerate((None, other)):
            folder = tmp_path / str(number)
            folder.mkdir()
            async with chat_at(provider, serve, folder, oidc_ca_file=ca_file) as chat, browser(chat) as person:
                assert (await person.get("/login/start")).status_code == 503
        assert provider.asked == []
