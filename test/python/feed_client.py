"""A client of the feed made from schemas/*.fbs (flatc's Python output) and schemas/README.md alone.

    feed_client.py GENERATED_FOLDER URL INSTRUMENT MESSAGES [DEPTH]

Subscribes to the instrument's book (full, and cut at DEPTH), bbo, trades, status and context; reads MESSAGES
data messages; checks every stream's continuity, rebuilds both books and compares their hash with the
node's at every message. Prints one JSON object of what it saw; exits with 1 at the first difference.
"""
import json
import sys

sys.path.insert(0, sys.argv[1])

from ringside.wire.Bbo import Bbo  # noqa: E402
from ringside.wire.Body import Body  # noqa: E402
from ringside.wire.BookDelta import BookDelta  # noqa: E402
from ringside.wire.BookSnapshot import BookSnapshot  # noqa: E402
from ringside.wire.BookState import BookState  # noqa: E402
from ringside.wire.Context import Context  # noqa: E402
from ringside.wire.Heartbeat import Heartbeat  # noqa: E402
from ringside.wire.Message import Message  # noqa: E402
from ringside.wire.Status import Status  # noqa: E402
from ringside.wire.Trades import Trades  # noqa: E402

from rfc6455 import BINARY, WebSocket  # noqa: E402

LAST, SNAPSHOT, CONTINUED = 1, 2, 32
U32 = 0xFFFFFFFF


def lane(seed, side, price, size):
    """One 32-bit lane of a level's hash, as schemas/README.md defines it."""
    h = seed ^ ((side + 1) * 0x9E3779B1 & U32)
    for word in (price & U32, price >> 32, size & U32, size >> 32):
        h = (h ^ word) * 0x85EBCA6B & U32
        h ^= h >> 15
    h = h * 0xC2B2AE35 & U32
    return h ^ (h >> 13)


def level_hash(side, price, size):
    return lane(0x85A308D3, side, price, size) << 32 | lane(0x243F6A88, side, price, size)


class Book:
    """Price to size, a dictionary a side, and the hash over all levels, kept as they change."""

    def __init__(self):
        self.sides = ({}, {})
        self.hash = 0

    def clear(self):
        self.__init__()

    def set(self, side, price, size):
        levels = self.sides[side]
        before = levels.pop(price, 0)
        if before:
            self.hash ^= level_hash(side, price, before)
        if size:
            levels[price] = size
            self.hash ^= level_hash(side, price, size)

    def recomputed_hash(self):
        whole = 0
        for side in (0, 1):
            for price, size in self.sides[side].items():
                whole ^= level_hash(side, price, size)
        return whole


class Stream:
    """Continuity of one stream, and its book if it has one."""

    def __init__(self, answer):
        self.channel = answer["channel"]
        self.depth = answer["depth"]
        self.epoch = int(answer["epoch"])
        self.next = int(answer["sequence"]) + 1
        self.anchored = False
        self.book = Book() if self.channel == "book" else None
        self.messages = 0

    def follow(self, head, starts_anew):
        first, sequence, epoch = head.FirstSequence(), head.Sequence(), head.Epoch()
        assert first <= sequence, "a message covers its own sequence"
        assert sequence - first == head.Folded(), "folded counts what is covered beyond the first"
        if starts_anew or epoch != self.epoch:
            assert epoch >= self.epoch, "epochs only grow"
            self.epoch = epoch
        elif not self.anchored and sequence == self.next - 1:
            pass  # the present value, which every subscription to bbo and status begins with
        elif head.Flags() & CONTINUED and sequence == self.next - 1:
            pass  # a further part of an anchor
        else:
            assert first <= self.next <= sequence, f"{self.channel}: {self.next} is missing"
        self.anchored = True
        self.next = sequence + 1
        self.messages += 1


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


class Client:
    def __init__(self, url, instrument, depth):
        self.socket = WebSocket(url)
        self.streams = {}
        self.counts = {}
        self.hashes = {"checked": 0, "recomputed": 0, "amid": 0}
        self.state = None
        self.levels_most = 0
        self.contexts = []
        welcome = json.loads(self.socket.receive()[1])
        assert welcome["op"] == "welcome" and welcome["protocol"] == 1, welcome
        subscriptions = [{"channel": name} for name in ("book", "bbo", "trades", "status", "context")]
        subscriptions.append({"channel": "book", "depth": depth})
        for number, wanted in enumerate(subscriptions, 1):
            request = {"op": "subscribe", "id": number, "instrument": instrument, **wanted}
            self.socket.send_text(json.dumps(request))

    def on_text(self, text):
        answer = json.loads(text)
        if answer["op"] != "subscribed":
            fail(f"refused: {text}")
        self.streams[answer["streamId"]] = Stream(answer)

    def on_data(self, data):
        assert data[4:8] == b"RSD1", "the file identifier of the schema"
        message = Message.GetRootAs(data, 0)
        kind, table = message.BodyType(), message.Body()
        name = {value: key for key, value in vars(Body).items() if isinstance(value, int)}[kind]
        self.counts[name] = self.counts.get(name, 0) + 1
        if kind == Body.Heartbeat:
            self.on_heartbeat(at(Heartbeat(), table))
            return
        readers = {
            Body.BookSnapshot: (BookSnapshot, self.on_levels),
            Body.BookDelta: (BookDelta, self.on_levels),
            Body.Bbo: (Bbo, self.on_bbo),
            Body.Trades: (Trades, self.on_trades),
            Body.Status: (Status, self.on_status),
            Body.Context: (Context, self.on_context),
        }
        make, handle = readers[kind]
        body = at(make(), table)
        head = body.Head()
        stream = self.streams[head.StreamId()]
        stream.follow(head, head.Flags() & SNAPSHOT)
        handle(stream, head, body)

    def on_levels(self, stream, head, body):
        book = stream.book
        if head.Flags() & SNAPSHOT:
            book.clear()
        for side, length, level in (
            (0, body.BidsLength(), body.Bids),
            (1, body.AsksLength(), body.Asks),
        ):
            for index in range(length):
                entry = level(index)
                book.set(side, entry.Price(), entry.Size())
        if not head.Flags() & LAST:
            self.hashes["amid"] += 1
            return
        if book.hash != head.Hash():
            fail(
                f"depth {stream.depth}, epoch {head.Epoch()}, sequence {head.Sequence()}: "
                f"hash {book.hash:016x} here, {head.Hash():016x} there"
            )
        self.hashes["checked"] += 1
        if self.hashes["checked"] % 100 == 1:
            assert book.recomputed_hash() == head.Hash(), "the whole hash equals the kept one"
            self.hashes["recomputed"] += 1
        self.levels_most = max(self.levels_most, len(book.sides[0]), len(book.sides[1]))
        if stream.depth:
            assert max(map(len, book.sides)) <= stream.depth, "a view holds its depth at most"
        self.state = head.State()
        if self.state == BookState.Live and book.sides[0] and book.sides[1]:
            assert max(book.sides[0]) < min(book.sides[1]), "a Live book is not crossed"

    def on_bbo(self, stream, head, body):
        bid, ask = body.Bid(), body.Ask()
        if head.State() == BookState.Live and bid.Size() and ask.Size():
            assert bid.Price() < ask.Price(), "a Live best bid is below the best ask"

    def on_trades(self, stream, head, body):
        for index in range(body.TradesLength()):
            trade = body.Trades(index)
            assert trade.Price() > 0 and trade.Size() > 0, "a trade has a price and a size"

    def on_status(self, stream, head, body):
        assert body.SinceNs() > 0, "a state holds since some time"

    def on_context(self, stream, head, body):
        decimals = [
            body.MarkPrice(), body.IndexPrice(), body.MidPrice(), body.PreviousDayPrice(),
            body.FundingRate(), body.Premium(), body.ImpactBidPrice(), body.ImpactAskPrice(),
            body.OpenInterest(), body.DayVolume(), body.DayNotional(),
        ]
        for value in decimals:
            if value is None:
                continue  # not told
            whole, fraction, places = value.Whole(), value.Fraction(), value.Places()
            assert places <= 15 and abs(fraction) < 10**places, "a fraction has its places"
            assert whole * fraction >= 0, "both parts have the number's sign"
        self.contexts.append(decimals[0] is not None)
        if head.State() == BookState.Live:
            assert any(value is not None for value in decimals), "a Live context says something"

    def on_heartbeat(self, beat):
        for index in range(beat.StreamsLength()):
            position = beat.Streams(index)
            stream = self.streams[position.StreamId()]
            if position.Epoch() == stream.epoch and stream.messages:
                assert position.NextSequence() >= stream.next, "a heartbeat is never behind"

    def run(self, messages):
        seen = 0
        while seen < messages:
            kind, payload = self.socket.receive()
            if kind == BINARY:
                self.on_data(payload)
                seen += 1
            else:
                self.on_text(payload)
        self.socket.close()
        summary = {"messages": self.counts, "hashes": self.hashes, "levelsMost": self.levels_most}
        summary["marks"] = sum(self.contexts)
        summary["streams"] = {
            f"{s.channel}/{s.depth}": {"messages": s.messages, "next": s.next}
            for s in self.streams.values()
        }
        print(json.dumps(summary))


def at(reader, table):
    reader.Init(table.Bytes, table.Pos)
    return reader


if __name__ == "__main__":
    depth_wanted = int(sys.argv[5]) if len(sys.argv) > 5 else 10
    try:
        Client(sys.argv[2], sys.argv[3], depth_wanted).run(int(sys.argv[4]))
    except AssertionError as error:
        fail(f"not as promised: {error}")
