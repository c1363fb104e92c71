"""A WebSocket client of a hundred lines on the standard library alone (RFC 6455): text and binary
messages, fragments, ping and close. No extensions are offered, so none may be used."""
import base64
import hashlib
import os
import socket
import struct
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Closed(Exception):
    """The peer closed; args are the code and the reason."""


class WebSocket:
    def __init__(self, url, timeout_s=10.0):
        parts = urlsplit(url)
        if parts.scheme != "ws":
            raise ValueError("only ws:// is spoken here")
        address = (parts.hostname, parts.port or 80)
        self.socket = socket.create_connection(address, timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self._handshake(parts)

    def _handshake(self, parts):
        key = base64.b64encode(os.urandom(16)).decode()
        path = parts.path + ("?" + parts.query if parts.query else "")
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        if " 101 " not in lines[0] + " ":
            raise ConnectionError(lines[0])
        wanted = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        if headers.get("sec-websocket-accept") != wanted.lower():
            raise ConnectionError("the peer answered another handshake")
        if "sec-websocket-extensions" in headers:
            raise ConnectionError("the peer uses an extension that was not offered")

    def _more(self):
        part = self.socket.recv(1 << 16)
        if not part:
            raise Closed(1006, "the connection ended without a close frame")
        self.buffer += part

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def _frame(self):
        first, second = self._take(2)
        if first & 0x70:
            raise ConnectionError("a reserved bit is set")
        if second & 0x80:
            raise ConnectionError("a server's frame is masked")
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._take(8))
        return bool(first & 0x80), first & 0x0F, self._take(length)

    def receive(self):
        """The next message: (TEXT, str) or (BINARY, bytes). Answers pings on the way."""
        kind, parts = None, []
        while True:
            final, opcode, payload = self._frame()
            if opcode == PING:
                self._send(PONG, payload)
                continue
            if opcode == PONG:
                continue
            if opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                raise Closed(code, payload[2:].decode())
            if (opcode == CONTINUATION) != (kind is not None):
                raise ConnectionError("fragments out of order")
            kind = kind if kind is not None else opcode
            parts.append(payload)
            if final:
                whole = b"".join(parts)
                return kind, whole.decode() if kind == TEXT else whole

    def send_text(self, text):
        self._send(TEXT, text.encode())

    def _send(self, opcode, payload):
        mask = os.urandom(4)
        if len(payload) < 126:
            head = struct.pack("BB", 0x80 | opcode, 0x80 | len(payload))
        else:
            head = struct.pack(">BBH", 0x80 | opcode, 0x80 | 126, len(payload))
        masked = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
        self.socket.sendall(head + mask + masked)

    def close(self):
        try:
            self._send(CLOSE, struct.pack(">H", 1000))
            self.socket.close()
        except OSError:
            pass
