import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sandbox.host.launcher import FunctionsHost

KEYS = {"SANDBOX_FUNCTION_KEY": "the function key", "SANDBOX_MASTER_KEY": "the master key"}


@pytest.fixture(scope="module")
def host(apps: Path) -> Iterator[FunctionsHost]:
    with FunctionsHost(apps / "http", KEYS) as host:
        yield host


def get(host: FunctionsHost, path: str, key: str | None = None, method: str = "GET") -> requests.Response:
    headers = {} if key is None else {"x-functions-key": key}
    return requests.request(method, host.url + path, headers=headers, timeout=10)


def test_ready(host: FunctionsHost) -> None:
    assert host.functions == ["hello", "item", "special", "echo", "secret", "fails", "exits"]
    assert (host.function_key, host.master_key) == tuple(KEYS.values())
    assert f"item: [DELETE,GET] {host.url}/api/items/{{id:int}}/{{part?}}" in host.output()
    assert f"hello: [all methods] {host.url}/api/open/hello" in host.output()
    line = next(line for line in host.output().splitlines() if line.startswith('{"ready": true'))
    assert json.loads(line) == {
        "ready": True,
        "url": host.url,
        "functionKey": host.function_key,
        "masterKey": host.master_key,
        "functions": host.functions,
    }


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/open/hello", None, 200),
        ("/api/open/hello", "wrong", 200),
        ("/api/items/1", None, 401),
        ("/api/items/1", "", 401),
        ("/api/items/1", "wrong", 401),
        ("/api/items/1", "the function key", 200),
        ("/api/items/1", "the master key", 200),
        ("/api/items/1?code=the%20function%20key", None, 200),
        ("/api/items/1?code=wrong", None, 401),
        ("/api/secret", "the function key", 401),
        ("/api/secret", "the master key", 200),
    ],
)
def test_keys(host: FunctionsHost, path: str, key: str | None, status: int) -> None:
    assert get(host, path, key).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/open/hello", 404),
        ("GET", "/", 404),
        ("GET", "/API/Items/1/", 200),
        ("GET", "/api/items/one", 404),
        ("GET", "/api/items/1/a/b", 404),
        ("DELETE", "/api/items/1", 200),
        ("POST", "/api/items/1", 404),
        ("PUT", "/api/open/hello", 200),
    ],
)
def test_routes(host: FunctionsHost, method: str, path: str, status: int) -> None:
    assert get(host, path, host.function_key, method).status_code == status


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("items/7", {"id": "7"}), ("items/7/a%2Fb", {"id": "7", "part": "a/b"})],
)
def test_route_parameters(host: FunctionsHost, path: str, parameters: dict[str, str]) -> None:
    response = get(host, f"/api/{path}", host.function_key)
    assert response.headers["content-type"] == "application/json"
    assert response.json() == parameters


def test_a_literal_goes_before_a_parameter(host: FunctionsHost) -> None:
    assert get(host, "/api/items/1/special", host.function_key).text == "GET"


def test_query_parameters(host: FunctionsHost) -> None:
    response = get(host, "/api/open/hello?name=J%C3%BCrgen")
    assert response.text == "hello Jürgen"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_answer_is_the_functions(host: FunctionsHost) -> None:
    body = bytes(range(256)) * 8192
    headers = {"x-functions-key": host.function_key, "X-Given": "given"}
    response = requests.post(f"{host.url}/api/echo", data=body, headers=headers, timeout=10)
    assert (response.status_code, response.content) == (201, body)
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-seen"] == "given"
    assert response.cookies["a"] == "1"


@pytest.mark.parametrize("path", ["fails?why=because", "exits?code=3"])
def test_an_error_is_500_with_an_empty_body(host: FunctionsHost, path: str) -> None:
    response = get(host, f"/api/{path}")
    assert (response.status_code, response.content) == (500, b"")
    assert get(host, "/api/open/hello").ok


def test_a_failure_is_logged_with_its_traceback(host: FunctionsHost) -> None:
    get(host, "/api/fails?why=unheard-of")
    assert "ValueError: unheard-of" in host.output()
    assert "Executed 'Functions.fails' (Failed, Id=" in host.output()


def test_logs_name_the_function_and_no_query_string(host: FunctionsHost) -> None:
    get(host, f"/api/items/1?code={host.function_key}")
    assert "WARNING  [item] item 1 is read" in host.output()
    assert "GET /api/items/1 200 (" in host.output()
    assert "code=" not in host.output()


def test_no_query_string_of_a_malformed_request_is_logged(host: FunctionsHost, wait: Callable[..., object]) -> None:
    address = ("127.0.0.1", int(host.url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(b"GET /api/open/hello?code=confidential\x00 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 400 " in connection.recv(100)
    wait(lambda: "a request was not HTTP" in host.output())
    assert "confidential" not in host.output()


def test_status(host: FunctionsHost) -> None:
    status = get(host, "/admin/host/status", host.master_key).json()
    assert status["state"] == "Running"
    assert status["functions"] == host.functions
    assert get(host, "/admin/host/status", host.function_key).status_code == 401


def test_an_http_function_is_not_run_by_the_admin_endpoint(host: FunctionsHost) -> None:
    assert get(host, "/admin/functions/hello", host.master_key, "POST").status_code == 400
    assert get(host, "/admin/functions/nothing", host.master_key, "POST").status_code == 404
    assert get(host, "/admin/functions/hello", host.function_key, "POST").status_code == 401
