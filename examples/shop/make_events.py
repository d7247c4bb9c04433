#!/usr/bin/env python3
"""Three months in a shop: events.jsonl, answers.jsonl and vip_guests.csv, the same at every run.

Forty-six people with different habits, zones and contacts look, fill baskets, order, return, open and
click. As in real life, some inputs arrive late, some twice, some do not fit the schema, some are
unknown, and some guests register in the middle of it.

usage: python3 make_events.py      (writes into the folder it stands in)
"""
import csv
import json
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).parent
START = datetime(2026, 3, 2, tzinfo=timezone.utc)
END = datetime(2026, 5, 31, tzinfo=timezone.utc)
dice = random.Random(2026)

PLACES = [("IT", "it-IT", "Europe/Rome", "+3902", 1), ("IT", "it-IT", "Europe/Rome", "+3906", 1), ("ES", "es-ES", "Europe/Madrid", "+3491", 1),
          ("FR", "fr-FR", "Europe/Paris", "+331", 1), ("DE", "de-DE", "Europe/Berlin", "+4930", 1), (None, "en-GB", "Europe/London", "+4420", 0),
          (None, "en-US", "America/New_York", "+1212", -5), (None, "en-US", None, None, 1)]
NAMES = "Ada Bruno Carla Dario Elena Fabio Giulia Hugo Irene Jorge Karin Luca Marta Nils Olga Paolo Rosa Sara Tomas Vera".split()
PRODUCTS = [("p01", "Boots", "shoes", 89.9), ("p02", "Sandals", "shoes", 49.9), ("p03", "Sneakers", "shoes", 75), ("p04", "Lamp", "home", 34.5),
            ("p05", "Rug", "home", 129), ("p06", "Mug", "home", 9.9), ("p07", "Scarf", "clothes", 24.9), ("p08", "Coat", "clothes", 189), ("p09", "Socks", "clothes", 6.5)]
MILAN = (45.4642, 9.1900)

inputs = []  # (time of arrival, number, object)


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def put(moment, kind, who, late=timedelta(), message_id=None, **more):
    """One input of `who`, which happened at `moment` and arrives `late`."""
    number = len(inputs)
    obj = {"type": kind, **who, "messageId": message_id or f"m{number:05d}", "timestamp": stamp(moment), **more}
    inputs.append((moment + late, number, obj))


def track(moment, who, event, late=timedelta(), message_id=None, **properties):
    put(moment, "track", who, late, message_id, event=event, properties=properties)


def some(lowest, highest):
    """A stretch of time between two numbers of seconds."""
    return timedelta(seconds=dice.randint(lowest, highest), milliseconds=dice.randint(0, 999))


def day_and_hour(day, person):
    """A moment of a day in the hours that this person keeps."""
    hour = min(23, max(0, round(dice.gauss(person["hour"], 2)))) - person["offset"]
    return day + timedelta(hours=hour) + some(0, 3599)


orders = 0


def order(moment, person, value):
    """An order and what becomes of it."""
    global orders
    orders += 1
    number = f"o{orders:04d}"
    who = {"userId": person["id"]}
    contact = person["email"] or f"guest{orders}@example.com"
    track(moment, who, "Order Completed", order_id=number, order_value=round(value, 2), contact=contact)
    if dice.random() < 0.08:
        return  # the warehouse says nothing more of it
    sent = moment + timedelta(days=dice.choice([1, 1, 1, 2, 2, 6])) + some(0, 20000)
    carrier = dice.choice(["dhl", "ups", "post"])
    there = sent + timedelta(days=dice.choice([1, 2, 2, 3])) + some(0, 30000)
    if sent < END:
        track(sent, who, "Order Shipped", late=some(0, 7200) if dice.random() < 0.15 else timedelta(), order_id=number, carrier=carrier, arrives_on=there.date().isoformat())
    if there < END:
        track(there, who, "Order Delivered", order_id=number)
    after = there + timedelta(days=dice.randint(2, 20)) + some(0, 30000)
    if after < END and dice.random() < 0.3:
        if dice.random() < 0.35:
            reason = dice.choice(["too small", "too large", "changed my mind", None])
            track(after, who, "Order Returned", order_id=number, **({"reason": reason} if reason else {}))
        else:
            track(after, who, "Review Submitted", order_id=number, stars=dice.choice([3, 4, 4, 5, 5]))


people = []
for n in range(42):
    country, locale, zone, prefix, offset = dice.choice(PLACES)
    name = dice.choice(NAMES)
    reach = dice.random()
    people.append({
        "id": f"u{n + 1:02d}", "name": name, "country": country, "locale": locale, "zone": zone, "offset": offset,
        "email": None if reach < 0.1 else f"{name.lower()}.{n + 1:02d}@example.com",
        "phone": f"{prefix}{5550000 + n}" if prefix and dice.random() < 0.6 else None,
        "push": f"tok-{n + 1:02d}" if dice.random() < 0.5 else None,
        "birthday": f"{dice.randint(1955, 2004)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}" if dice.random() < 0.5 else None,
        "hour": dice.choice([8, 12, 13, 18, 20, 21]), "habit": dice.choice(["looker", "buyer", "buyer", "rare", "rare", "loyal"]),
        "joined": START + timedelta(days=dice.choice([0, 0, 0, 0, dice.randint(1, 60)])), "reads": dice.random() < 0.4,
    })
people[6]["birthday"] = "1996-02-29"

for person in people:
    who = {"userId": person["id"]}
    moment = day_and_hour(person["joined"], person)
    guest = dice.random() < 0.2
    anonymous = {"anonymousId": f"anon-{person['id']}"}
    if guest:  # looks around before there is an account
        before = moment - some(600, 5400)
        for _ in range(dice.randint(1, 4)):
            p = dice.choice(PRODUCTS)
            before += some(20, 120)
            track(before, anonymous, "Product Viewed", product_id=p[0], name=p[1], category=p[2])
        if dice.random() < 0.6:
            track(before + some(5, 60), anonymous, "Product Added", cart_id=f"cart-{person['id']}-0", cart_value=p[3], name=p[1], category=p[2])
    traits = {"first_name": person["name"], "country": person["country"], "locale": person["locale"], "timezone": person["zone"], "email": person["email"],
              "phone": person["phone"], "push_token": person["push"], "birthday": person["birthday"]}
    traits = {k: v for k, v in traits.items() if v is not None}
    if guest and dice.random() < 0.5:
        put(moment, "alias", who, previousId=anonymous["anonymousId"])
        put(moment, "identify", who, traits=traits)
    elif guest:
        put(moment, "identify", {**anonymous, **who}, traits=traits)
    else:
        put(moment, "identify", who, traits=traits)
    if person["joined"] > START:
        track(moment + some(1, 30), who, "Account Created")
        if person["birthday"] is None and dice.random() < 0.4:
            put(moment + timedelta(days=dice.choice([1, 2, 5])), "identify", who, traits={"birthday": "1988-05-17", "phone": person["phone"] or "+390255501234"})
    if person["reads"]:
        asked = moment + some(100, 900)
        track(asked, who, "Newsletter Requested", address=person["email"] or f"{person['id']}@example.com")
        if dice.random() < 0.8:
            track(asked + some(60, 90000), who, "Newsletter Confirmed")

    visits = {"looker": 8, "buyer": 6, "rare": 2, "loyal": 10}[person["habit"]]
    carts = 0
    for _ in range(visits):
        day = person["joined"] + timedelta(days=dice.randint(1, 85))
        if day >= END:
            continue
        moment = day_and_hour(day, person)
        if dice.random() < 0.5:
            put(moment, "screen" if person["push"] else "page", who, name="home")
        chosen = dice.choice(PRODUCTS)
        for _ in range(dice.choice([1, 1, 2, 3, 5])):
            moment += some(20, 400)
            chosen = dice.choice(PRODUCTS)
            track(moment, who, "Product Viewed", product_id=chosen[0], name=chosen[1], category=chosen[2])
        if dice.random() < {"looker": 0.15, "buyer": 0.6, "rare": 0.4, "loyal": 0.8}[person["habit"]]:
            carts += 1
            moment += some(20, 300)
            value = chosen[3] * dice.choice([1, 1, 2])
            track(moment, who, "Product Added", late=some(1, 3600) if dice.random() < 0.05 else timedelta(),
                  cart_id=f"cart-{person['id']}-{carts}", cart_value=round(value, 2), name=chosen[1], category=chosen[2])
            fate = dice.random()
            if fate < 0.55:
                order(moment + some(60, 5000), person, value)
            elif fate < 0.7:
                order(moment + timedelta(hours=dice.randint(2, 30)), person, value)

    # Who opens, opens at the hours that they keep, and the latest message is meant.
    if person["email"]:
        for _ in range(dice.choice([0, 2, 4, 6])):
            moment = day_and_hour(person["joined"] + timedelta(days=dice.randint(1, 85)), person)
            if moment < END:
                track(moment, who, "Email Opened")
                if dice.random() < 0.4:
                    track(moment + some(5, 60), who, "Email Link Clicked", link="https://shop.example/")

# A few people are seen around the store in Milan.
for person in dice.sample([p for p in people if p["zone"] == "Europe/Rome"], 6):
    for _ in range(3):
        moment = day_and_hour(START + timedelta(days=dice.randint(20, 85)), person)
        who = {"userId": person["id"]}
        track(moment, who, "location", lat=45.4790, lon=9.2040)
        track(moment + timedelta(minutes=15), who, "location", lat=round(MILAN[0] + dice.uniform(-0.002, 0.002), 5), lon=round(MILAN[1] + dice.uniform(-0.002, 0.002), 5))
        track(moment + timedelta(minutes=dice.choice([16, 40, 90])), who, "location", lat=45.4700, lon=9.2000)

# Four stories that a shop should know: a gold customer, one who sends everything back, one who was away for
# two months and is back, and one who stands in the store for an hour.
STORIES = [("u51", "Gina"), ("u52", "Rolf"), ("u53", "Bea"), ("u54", "Meo")]
for n, (number, name) in enumerate(STORIES):
    put(START + timedelta(days=1, hours=9, minutes=n), "identify", {"userId": number},
        traits={"first_name": name, "country": "IT", "timezone": "Europe/Rome", "email": f"{name.lower()}@example.com", "push_token": f"tok-{number}"})


def story(who, day, hour, event, **properties):
    track(START + timedelta(days=day, hours=hour), {"userId": who}, event, **properties)


for n, (day, value) in enumerate([(3, 389), (17, 129.5), (40, 482)]):
    story("u51", day, 19, "Order Completed", order_id=f"gina{n}", order_value=value, contact="gina@example.com")
    story("u51", day + 1, 8, "Order Shipped", order_id=f"gina{n}", carrier="dhl", arrives_on=(START + timedelta(days=day + 2)).date().isoformat())
    story("u51", day + 2, 9, "Order Delivered", order_id=f"gina{n}")
for n, day in enumerate([5, 20, 33]):
    story("u52", day, 12, "Order Completed", order_id=f"rolf{n}", order_value=60, contact="rolf@example.com")
    story("u52", day + 6, 12, "Order Returned", order_id=f"rolf{n}", reason="not as in the picture")
story("u53", 2, 10, "Order Completed", order_id="bea0", order_value=45, contact="bea@example.com")
story("u53", 71, 20, "Order Completed", order_id="bea1", order_value=52, contact="bea@example.com")
story("u54", 50, 13, "location", lat=45.4790, lon=9.2040)
story("u54", 50, 14, "location", lat=45.4643, lon=9.1902)
story("u54", 50, 15, "location", lat=45.4790, lon=9.2040)

# Stock alerts, and the boots that come back.
for person in dice.sample(people, 5):
    track(day_and_hour(START + timedelta(days=62), person), {"userId": person["id"]}, "Stock Alert Requested", product_id="p01", name="Boots")
    track(START + timedelta(days=70, hours=9), {"userId": person["id"]}, "Product Back In Stock", product_id="p01")

# Bounces, complaints, withdrawals, new contacts, answers to the invitation.
with_email = [p for p in people if p["email"]]
for person, event, properties in zip(dice.sample(with_email, 8), ["Email Bounced"] * 3 + ["Email Marked as Spam", "Unsubscribed", "Unsubscribed", "Unsubscribed", "Subscribed"],
                                     [{"type": "hard"}, {"type": "soft"}, {}, {}, {"topic": "marketing"}, {}, {"channel": "sms"}, {"topic": "marketing"}]):
    moment = day_and_hour(START + timedelta(days=dice.randint(30, 50)), person)
    track(moment, {"userId": person["id"]}, event, **properties)
    if properties.get("type") == "hard":
        put(moment + timedelta(days=9), "identify", {"userId": person["id"]}, traits={"email": f"new.{person['email']}"})
put(START + timedelta(days=40, hours=10), "identify", {"userId": "u10"}, traits={"consent": {"marketing": False}})
put(START + timedelta(days=44, hours=10), "group", {"userId": "u11"}, groupId="g1", traits={"country": "IT"})
put(START + timedelta(days=45, hours=10), "identify", {"userId": "u12"}, traits={"timezone": "Asia/Tokyo"})

guests = dice.sample(with_email, 8)
for n, person in enumerate(guests[:5]):
    track(datetime(2026, 5, 26, 9 + n, 12, tzinfo=timezone.utc), {"userId": person["id"]}, "Invitation Answered", coming=n != 3)

# What goes wrong on the way: repeats, things that do not fit, things that nobody declared.
for _, _, obj in dice.sample(inputs, 12):
    moment = datetime.fromisoformat(obj["timestamp"].replace("Z", "+00:00"))
    inputs.append((moment + some(1, 86400), len(inputs), obj))
noon = START + timedelta(days=33, hours=12)
track(noon, {"userId": "u01"}, "Product Added", cart_id="cart-x", cart_value="59.90", name="Boots", category="shoes")   # a text for a number
track(noon + timedelta(hours=1), {"userId": "u02"}, "Order Completed", order_id="o9999", order_value=12)                  # no contact
track(noon + timedelta(hours=2), {}, "Product Viewed", product_id="p01", name="Boots", category="shoes")                  # nobody
track(noon + timedelta(hours=3), {"userId": "u03"}, "Order Shipped", order_id="o9998", carrier="pigeon", arrives_on="2026-04-09")
track(noon + timedelta(hours=4), {"userId": "u04"}, "Order Shipped", order_id="o9997", carrier="dhl", arrives_on="tomorrow")
put(noon + timedelta(hours=5), "identify", {"userId": "u05"}, traits={"timezone": "Europe/Atlantis"})
inputs.append((noon + timedelta(hours=6), len(inputs), {"type": "track", "userId": "u06", "event": "Product Viewed", "messageId": "no-time", "properties": {}}))
for n in range(6):
    track(noon + timedelta(days=n), {"userId": f"u{n + 20}"}, "Coupon Looked At", code="SPRING")

inputs.sort(key=lambda line: (line[0], line[1]))
with open(HERE / "events.jsonl", "w") as out:
    for _, _, obj in inputs:
        out.write(json.dumps(obj) + "\n")

with open(HERE / "answers.jsonl", "w") as out:
    def answer(api, args, value):
        out.write(json.dumps({"api": api, "args": args, "answer": value}) + "\n")

    for n, person in enumerate(people):
        if n % 10 == 9:
            continue  # for these the APIs have no answer
        for limit in (3, 5):
            picks = [PRODUCTS[(n + k) % len(PRODUCTS)] for k in range(limit)]
            answer("recommendations", {"user_id": person["id"], "limit": limit},
                   [{"name": p[1], "url": f"https://shop.example/{p[0]}", "price": p[3]} for p in picks])
        for value in (5, 10):
            answer("new_voucher", {"user_id": person["id"], "value": value}, {"code": f"V{value}-{n + 1:02d}", "value": value})

with open(HERE / "vip_guests.csv", "w", newline="") as out:
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["user_id", "timestamp", "email", "first_name", "country"])
    for person in guests:
        rows.writerow([person["id"], "2026-05-25T08:00:00Z", person["email"], person["name"], person["country"] or ""])
    rows.writerow(["u90", "2026-05-25T08:00:00Z", "new.guest@example.com", "Zoe", "FR"])  # not seen before
