#!/usr/bin/env python3
"""Reads Ringside's messages, keeps the books, and checks every hash. An example to start from.

    flatc --python -o generated schemas/market-data.fbs
    PYTHONPATH=generated python3 schemas/read_messages.py < messages

The input is a sequence of messages, each after its length as a little-endian uint32; over a WebSocket
each binary frame is one message and needs no length. Prints one JSON line a message and a summary.
Needs only the `flatbuffers` package and what flatc generates from the schema.
"""

import json
import struct
import sys

from ringside.wire import BookDelta, BookSnapshot, Bbo, Context, Heartbeat, Message, Status, Trades
from ringside.wire.Body import Body

LAST, SNAPSHOT, CONTINUED = 1, 2, 32
MASK = 0xFFFFFFFF


def lane(seed, side, price, size):
    """One 32-bit lane of a level's hash; see schemas/README.md."""
    h = seed ^ ((side + 1) * 0x9E3779B1 & MASK)
    for word in (price & MASK, price >> 32, size & MASK, size >> 32):
        h = (h ^ word) * 0x85EBCA6B & MASK
        h ^= h >> 15
    h = h * 0xC2B2AE35 & MASK
    return h ^ (h >> 13)


def level_hash(side, price, size):
    return lane(0x85A308D3, side, price, size) << 32 | lane(0x243F6A88, side, price, size)


class Book:
    """A book kept from snapshot and deltas; sides are dicts of price to size."""

    def __init__(self):
        self.sides = ({}, {})

    def clear(self):
        self.sides = ({}, {})

    def apply(self, body):
        for side, count, level_at in (
            (0, body.BidsLength(), body.Bids),
            (1, body.AsksLength(), body.Asks),
        ):
            for i in range(count):
                level = level_at(i)
                if level.Size() == 0:
                    self.sides[side].pop(level.Price(), None)
                else:
                    self.sides[side][level.Price()] = level.Size()

    def hash(self):
        value = 0
        for side in (0, 1):
            for price, size in self.sides[side].items():
                value ^= level_hash(side, price, size)
        return value


def head_json(head):
    return {
        "epoch": head.Epoch(),
        "sequence": head.Sequence(),
        "firstSequence": head.FirstSequence(),
        "venueSequence": head.VenueSequence(),
        "hash": head.Hash(),
        "exchangeNs": head.ExchangeNs(),
        "receivedNs": head.ReceivedNs(),
        "appliedNs": head.AppliedNs(),
        "publishedNs": head.PublishedNs(),
        "streamId": head.StreamId(),
        "instrumentId": head.InstrumentId(),
        "folded": head.Folded(),
        "flags": head.Flags(),
        "state": head.State(),
        "reason": head.Reason(),
    }


def levels_json(count, level_at):
    return [[level_at(i).Price(), level_at(i).Size()] for i in range(count)]


CONTEXT_VALUES = {
    "markPrice": lambda body: body.MarkPrice,
    "indexPrice": lambda body: body.IndexPrice,
    "midPrice": lambda body: body.MidPrice,
    "previousDayPrice": lambda body: body.PreviousDayPrice,
    "fundingRate": lambda body: body.FundingRate,
    "premium": lambda body: body.Premium,
    "impactBidPrice": lambda body: body.ImpactBidPrice,
    "impactAskPrice": lambda body: body.ImpactAskPrice,
    "openInterest": lambda body: body.OpenInterest,
    "dayVolume": lambda body: body.DayVolume,
    "dayNotional": lambda body: body.DayNotional,
}


def decimal_text(value):
    """An exact decimal as the venue wrote it; None if it was not told."""
    if value is None:
        return None
    sign = "-" if value.Whole() < 0 or value.Fraction() < 0 else ""
    digits = f"{abs(value.Fraction()):0{value.Places()}d}" if value.Places() else ""
    return f"{sign}{abs(value.Whole())}" + (f".{digits}" if digits else "")


def body_of(message, kind):
    body = kind()
    table = message.Body()
    body.Init(table.Bytes, table.Pos)
    return body


class Reader:
    def __init__(self):
        self.books = {}
        self.hashes_checked = 0
        self.hashes_wrong = 0

    def read(self, data):
        if not Message.Message.MessageBufferHasIdentifier(data, 0):
            raise ValueError("not a message of this schema")
        message = Message.Message.GetRootAs(data, 0)
        kind = message.BodyType()
        if kind == Body.BookSnapshot:
            return self.read_book(body_of(message, BookSnapshot.BookSnapshot), "bookSnapshot")
        if kind == Body.BookDelta:
            return self.read_book(body_of(message, BookDelta.BookDelta), "bookDelta")
        if kind == Body.Bbo:
            return self.read_bbo(body_of(message, Bbo.Bbo))
        if kind == Body.Trades:
            return self.read_trades(body_of(message, Trades.Trades))
        if kind == Body.Context:
            return self.read_context(body_of(message, Context.Context))
        if kind == Body.Status:
            return self.read_status(body_of(message, Status.Status))
        if kind == Body.Heartbeat:
            return self.read_heartbeat(body_of(message, Heartbeat.Heartbeat))
        return {"type": "unknown"}  # of a newer schema: to be skipped

    def read_book(self, body, name):
        head = body.Head()
        book = self.books.setdefault(head.StreamId(), Book())
        if head.Flags() & SNAPSHOT and not head.Flags() & CONTINUED:
            book.clear()
        book.apply(body)
        if head.Flags() & LAST:
            self.hashes_checked += 1
            self.hashes_wrong += book.hash() != head.Hash()
        result = {
            "type": name,
            "head": head_json(head),
            "bids": levels_json(body.BidsLength(), body.Bids),
            "asks": levels_json(body.AsksLength(), body.Asks),
        }
        if name == "bookSnapshot":
            result["priceExponent"] = body.PriceExponent()
            result["sizeExponent"] = body.SizeExponent()
            result["depth"] = body.Depth()
            result["instrument"] = (body.Instrument() or b"").decode()
        return result

    def read_bbo(self, body):
        return {
            "type": "bbo",
            "head": head_json(body.Head()),
            "bid": [body.Bid().Price(), body.Bid().Size()],
            "ask": [body.Ask().Price(), body.Ask().Size()],
            "bidOrders": body.BidOrders(),
            "askOrders": body.AskOrders(),
            "priceExponent": body.PriceExponent(),
            "sizeExponent": body.SizeExponent(),
        }

    def read_trades(self, body):
        trades = [body.Trades(i) for i in range(body.TradesLength())]
        return {
            "type": "trades",
            "head": head_json(body.Head()),
            "trades": [
                [t.Price(), t.Size(), t.TradeId(), t.ExchangeNs(), t.Aggressor()] for t in trades
            ],
            "priceExponent": body.PriceExponent(),
            "sizeExponent": body.SizeExponent(),
        }

    def read_status(self, body):
        result = {"type": "status", "head": head_json(body.Head()), "sinceNs": body.SinceNs()}
        definition = body.Definition()
        if definition is not None:
            result["definition"] = {
                "tickSize": definition.TickSize(),
                "lotSize": definition.LotSize(),
                "priceExponent": definition.PriceExponent(),
                "sizeExponent": definition.SizeExponent(),
                "significantFigures": definition.SignificantFigures(),
                "trading": definition.Trading(),
            }
        return result

    def read_context(self, body):
        values = {name: decimal_text(value(body)()) for name, value in CONTEXT_VALUES.items()}
        result = {"type": "context", "head": head_json(body.Head()), **values}
        result["nextFundingNs"] = body.NextFundingNs() or None
        return result

    def read_heartbeat(self, body):
        streams = [body.Streams(i) for i in range(body.StreamsLength())]
        return {
            "type": "heartbeat",
            "publishedNs": body.PublishedNs(),
            "streams": [
                [s.Epoch(), s.NextSequence(), s.StreamId(), s.InstrumentId()] for s in streams
            ],
        }


def main():
    reader = Reader()
    while prefix := sys.stdin.buffer.read(4):
        (length,) = struct.unpack("<I", prefix)
        print(json.dumps(reader.read(bytearray(sys.stdin.buffer.read(length)))))
    summary = {
        "hashesChecked": reader.hashes_checked,
        "hashesWrong": reader.hashes_wrong,
        "hashes": {stream: book.hash() for stream, book in reader.books.items()},
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
