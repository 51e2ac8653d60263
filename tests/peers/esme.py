"""A platform built on PyPI smpplib: binds, sends what it is told to, waits for its receipts, unbinds.

Usage: esme.py JOB, a JSON file {host, port, system_id, password, source, messages: [{to, text, alphabet, form}]}.
alphabet is gsm7 or ucs2. form says who splits: "split" (smpplib's own parts with a user data header), "whole" (one
short_message of any length up to 254 octets), "payload" (one message_payload; smpplib cuts it at 259 octets).
Prints one JSON line with everything it saw and judges nothing.
"""

import json
import re
import sys
import time

import smpplib.client
import smpplib.consts
import smpplib.gsm

PATIENCE_SECONDS = 45
CODING = {"gsm7": smpplib.consts.SMPP_ENCODING_DEFAULT, "ucs2": smpplib.consts.SMPP_ENCODING_ISO10646}


def pieces(message):
    """The keyword arguments of each submit_sm that this message takes."""
    coding = CODING[message["alphabet"]]
    if message["form"] == "split":
        parts, coding, esm_class = smpplib.gsm.make_parts(message["text"], coding)
        return [{"short_message": part, "data_coding": coding, "esm_class": esm_class} for part in parts]
    octets = smpplib.gsm.ENCODINGS[coding][0](message["text"])
    if message["form"] == "payload":
        return [{"message_payload": octets, "short_message": b"", "data_coding": coding}]
    return [{"short_message": octets, "data_coding": coding}]


def receipt(pdu):
    """What a receipt says, in its text and in its optional parameters."""
    text = (pdu.short_message or b"").decode("latin-1")
    said = dict(re.findall(r"(id|stat|sub|dlvrd|err):(\S+)", text))
    return {
        "id": said.get("id"),
        "stat": said.get("stat"),
        "text": text,
        "esm_class": pdu.esm_class,
        "receipted_message_id": as_text(getattr(pdu, "receipted_message_id", None)),
        "message_state": getattr(pdu, "message_state", None),
        "source": as_text(pdu.source_addr),
        "destination": as_text(pdu.destination_addr),
    }


def as_text(value):
    return value.decode("latin-1").rstrip("\0") if isinstance(value, bytes) else value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    client = smpplib.client.Client(job["host"], job["port"], timeout=5, allow_unknown_opt_params=True)
    seen = {"responses": [], "receipts": [], "errors": []}
    asked = {}

    def answered(pdu):
        seen["responses"].append(
            {"message": asked.get(pdu.sequence), "status": pdu.status, "id": as_text(getattr(pdu, "message_id", None))}
        )

    client.set_message_sent_handler(lambda pdu: answered(pdu))
    client.set_message_received_handler(lambda pdu: seen["receipts"].append(receipt(pdu)))
    client.set_error_pdu_handler(answered)
    client.connect()
    client.bind_transceiver(system_id=job["system_id"], password=job["password"])
    for index, message in enumerate(job["messages"]):
        for piece in pieces(message):
            pdu = client.send_message(
                source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
                source_addr_npi=smpplib.consts.SMPP_NPI_UNK,
                source_addr=job["source"],
                dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
                dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                destination_addr=message["to"],
                registered_delivery=True,
                **piece,
            )
            asked[pdu.sequence] = index
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        accepted = [response["id"] for response in seen["responses"] if response["status"] == 0]
        reported = {receipt["id"] for receipt in seen["receipts"]}
        if len(seen["responses"]) == len(asked) and reported.issuperset(accepted):
            break
        client.read_once()
    # A second report of anything would come at once; one round trip shows whether there is one.
    client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
    client.read_once()
    seen["submits"] = len(asked)
    seen["unbound"] = client.unbind().command == "unbind_resp"
    client.disconnect()
    print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
