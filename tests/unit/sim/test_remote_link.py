"""The client's sockets against a server in the test's own hands: silent, late, garbled."""

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq

from vnpy_aiagent.sim.remote_link import NotSent, Refused, RemoteLink

TIMEOUT = 0.5


class Server:
    """Answers requests as told, and publishes what it is given."""

    def __init__(self) -> None:
        self.context = zmq.Context()
        self.answers = self.context.socket(zmq.REP)
        self.events = self.context.socket(zmq.PUB)
        self.request_address = f"tcp://127.0.0.1:{self.answers.bind_to_random_port('tcp://127.0.0.1')}"
        self.push_address = f"tcp://127.0.0.1:{self.events.bind_to_random_port('tcp://127.0.0.1')}"
        self.seen: list[Any] = []
        self.reply: Callable[[Any], bytes | None] = lambda request: pickle.dumps([True, request[1]])
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        while not self.ended.is_set():
            if self.answers.poll(20):
                request = pickle.loads(self.answers.recv())
                self.seen.append(request)
                answer = self.reply(request)
                if answer is None:  # as a server that hangs, until the next test
                    self.ended.wait(2 * TIMEOUT)
                    answer = pickle.dumps([True, "too late"])
                self.answers.send(answer)

    def close(self) -> None:
        self.ended.set()
        self.thread.join()
        for each in (self.answers, self.events):
            each.close(linger=0)
        self.context.term()


class Client:
    """A link, with what it heard."""

    def __init__(self, server: Server) -> None:
        self.heard: list[Any] = []
        self.troubles: list[Exception] = []
        self.polls = 0
        self.poll: Callable[[RemoteLink], Any] = lambda link: None
        self.link = RemoteLink(
            server.request_address,
            server.push_address,
            TIMEOUT,
            self.idle,
            self.heard.append,
            self.troubles.append,
        )
        self.link.start()

    def idle(self, link: RemoteLink) -> float:
        self.polls += 1
        self.poll(link)
        return 60.0


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    client = Client(server)
    yield client
    client.link.close()


def until(condition: Callable[[], Any]) -> None:
    for _ in range(3_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("this did not happen in thirty seconds")


def test_a_request_gets_its_answer(server: Server, client: Client) -> None:
    assert client.link.submit("send_order", 1, "x").result(5) == (1, "x")
    assert server.seen == [["send_order", (1, "x"), {}]]


def test_without_an_answer_the_fate_is_unknown_and_the_next_request_works(
    server: Server, client: Client
) -> None:
    good = server.reply
    server.reply = lambda request: None
    with pytest.raises(TimeoutError):
        client.link.submit("send_order", 1).result(5)
    server.reply = good
    until(lambda: not client.link.submit("hello").exception(5))
    assert [request for request in server.seen if request[0] == "send_order"] == [["send_order", (1,), {}]]


def test_a_server_that_raises_is_told_apart(server: Server, client: Client) -> None:
    server.reply = lambda request: pickle.dumps([False, "Traceback ...\nKeyError: 'SIM'"])
    with pytest.raises(Refused, match="KeyError: 'SIM'"):
        client.link.submit("private_flow", "SIM").result(5)


def test_where_nobody_listens_nothing_is_sent_even_when_somebody_comes_later(server: Server) -> None:
    client = Client(server)
    server.ended.set()
    server.thread.join()
    address = server.request_address
    server.answers.close(linger=0)
    until(lambda: isinstance(client.link.submit("send_order", 1).exception(5), NotSent))
    seen = len(server.seen)
    server.answers = server.context.socket(zmq.REP)
    _bind(server.answers, address)
    assert not server.answers.poll(500)
    assert len(server.seen) == seen
    client.link.close()


def _bind(socket: "zmq.Socket[bytes]", address: str) -> None:
    def bound() -> bool:
        try:
            socket.bind(address)
        except zmq.ZMQError:
            return False
        return True

    until(bound)


def test_answers_that_cannot_be_read_are_told_and_polling_goes_on(server: Server, client: Client) -> None:
    server.reply = lambda request: b"<html>"
    client.poll = lambda link: link.call("private_flow")
    client.link.hurry()
    until(lambda: client.troubles)
    server.reply = lambda request: pickle.dumps([True, None])
    polls = client.polls
    client.link.hurry()
    until(lambda: client.polls > polls)
    assert client.link.submit("hello").result(5) is None


def test_events_that_cannot_be_read_are_told_and_the_next_one_is_heard(
    server: Server, client: Client
) -> None:
    def publish() -> bool:
        server.events.send_multipart([b"", b"garbage"])
        server.events.send_multipart([b"alone"])
        server.events.send_multipart([b"", pickle.dumps("tick")])
        return "tick" in client.heard and bool(client.troubles)

    until(publish)
    assert set(client.heard) == {"tick"}


def test_requests_that_wait_at_the_end_are_not_sent(server: Server) -> None:
    client = Client(server)
    server.reply = lambda request: None
    first = client.link.submit("slow")
    until(first.running)
    waiting = client.link.submit("send_order", 1)
    client.link.close()
    assert isinstance(waiting.exception(5), NotSent)
    assert [request[0] for request in server.seen] == ["slow"]
