"""OHIF's static build and a DICOMweb server at one address; both are stand-ins here."""

from __future__ import annotations

import http.server
import json
import urllib.error
import urllib.request
from threading import Thread

import pytest

from pipeline.errors import ConfigError
from pipeline.viewer.ohif import address_of_study, ohif


@pytest.fixture
def build(tmp_path):
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "index.html").write_text("<title>OHIF</title>")
    (folder / "app-config.js").write_text("window.config = {};")
    (folder / "app.js").write_text("// code")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def dicomweb():
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            is_there = self.path.startswith("/dicom-web/studies")
            own = f"http://127.0.0.1:{self.server.server_port}"
            body = json.dumps({"url": f"{own}/dicom-web/x", "accept": self.headers["Accept"]}).encode()
            self.send_response(200 if is_there else 404)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        return answer.read().decode(), answer.headers


def test_files_of_the_build_are_served_to_an_isolated_page(build, dicomweb):
    with ohif(build, dicomweb) as address:
        text, headers = get(f"{address}/app.js")
    assert text == "// code"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_configuration_names_the_own_address(build, dicomweb):
    with ohif(build, dicomweb) as address:
        text, _ = get(f"{address}/app-config.js?v=1")
    assert f'"wadoRoot": "{address}/dicom-web"' in text


def test_a_page_within_the_application_is_its_index(build, dicomweb):
    with ohif(build, dicomweb) as address:
        text, _ = get(address_of_study(address, "1.2.3"))
    assert "OHIF" in text


def test_answers_of_the_server_name_the_own_address(build, dicomweb):
    with ohif(build, dicomweb) as address:
        text, _ = get(f"{address}/dicom-web/studies", Accept="application/dicom+json")
    assert json.loads(text) == {"url": f"{address}/dicom-web/x", "accept": "application/dicom+json"}


def test_errors_of_the_server_are_passed_on(build, dicomweb):
    with ohif(build, dicomweb) as address, pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}/dicom-web/else")


def test_another_host_name_is_refused(build, dicomweb):
    with ohif(build, dicomweb) as address, pytest.raises(urllib.error.HTTPError, match="403"):
        get(f"{address}/app.js", Host="attacker.example")


def test_nothing_outside_the_build_is_served(build, dicomweb):
    with ohif(build, dicomweb) as address:
        text, _ = get(f"{address}/..%2fsecret.txt")
    assert "secret" not in text


def test_an_unpacked_package_is_found(build, dicomweb):
    with ohif(build.parent, dicomweb) as address:
        assert get(f"{address}/app.js")[0] == "// code"


def test_a_folder_without_a_build_is_refused(tmp_path, dicomweb):
    with pytest.raises(ConfigError, match="@ohif/app"), ohif(tmp_path, dicomweb):
        pass


def test_a_taken_port_is_named(build, dicomweb):
    port = int(dicomweb.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"--port: {port}"), ohif(build, dicomweb, port=port):
        pass
