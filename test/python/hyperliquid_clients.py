"""Clients of Hyperliquid that others wrote, unchanged, against this node's /info and /ws.

    hyperliquid_clients.py sdk URL      hyperliquid-python-sdk: starts, asks, subscribes
    hyperliquid_clients.py l4 URL N     websockets with permessage-deflate: Snapshot and N Updates

Prints one JSON object; exits with 1 and the reason on stderr.
"""
import hashlib
import json
import sys
import threading


def sdk(url):
    from hyperliquid.info import Info

    info = Info(url, timeout=20)
    got, all_there = {}, threading.Event()
    wanted = [
        {"type": "l2Book", "coin": "BTC"},
        {"type": "bbo", "coin": "BTC"},
        {"type": "trades", "coin": "BTC"},
        {"type": "allMids"},
    ]

    def on_message(message):
        got.setdefault(message["channel"], message["data"])
        if len(got) == len(wanted):
            all_there.set()

    ids = [info.subscribe(subscription, on_message) for subscription in wanted]
    if not all_there.wait(30):
        raise RuntimeError(f"no message on some channel, only on {sorted(got)}")
    for subscription, number in zip(wanted, ids):
        info.unsubscribe(subscription, number)
    answers = {
        "assets": info.coin_to_asset,
        "decimals": {info.name_to_coin["BTC"]: info.asset_to_sz_decimals[info.name_to_asset("BTC")]},
        "mids": info.all_mids(),
        "book": info.l2_snapshot("BTC"),
        "candles": len(info.candles_snapshot("BTC", "1m", 0, 9_000_000_000_000)),
        "contexts": len(info.meta_and_asset_ctxs()[1]),
        "spot": len(info.spot_meta_and_asset_ctxs()[1]),
        "dexs": info.perp_dexs(),
    }
    info.disconnect_websocket()
    return {"channels": got, **answers}


def l4(url, updates):
    from websockets.sync.client import connect

    digest, told = None, []
    with connect(url, max_size=None) as socket:
        socket.send(json.dumps({"method": "subscribe", "subscription": {"type": "l4Book", "coin": "BTC"}}))
        while len(told) < updates:
            text = socket.recv(timeout=30)
            data = json.loads(text)["data"]
            if "Snapshot" in data:
                digest = hashlib.sha256(text.encode()).hexdigest()
            elif "Updates" in data:
                told.append(data["Updates"]["seq"])
        extensions = socket.response.headers.get("Sec-WebSocket-Extensions", "")
    return {"digest": digest, "updates": told, "extensions": extensions}


try:
    print(json.dumps(sdk(sys.argv[2]) if sys.argv[1] == "sdk" else l4(sys.argv[2], int(sys.argv[3]))))
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
