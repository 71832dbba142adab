"""Asks a question through Breakwater, and asks the user before another model answers. Needs nothing but Python 3.

    python3 examples/consent/ask.py http://127.0.0.1:4100 contract-review "Is clause 4 usual?"
"""

import json
import sys
import urllib.error
import urllib.request


def send(url, feature, question, user, consent=None):
    """The answer's text, or the error body when the policy wants the user to be asked first."""
    headers = {"content-type": "application/json", "authorization": "Bearer any", "x-breakwater-user": user}
    if consent is not None:
        headers["x-breakwater-consent"] = consent
    body = {"model": feature, "messages": [{"role": "user", "content": question}]}
    request = urllib.request.Request(f"{url}/v1/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as response:
            return json.load(response)["choices"][0]["message"]["content"], None
    except urllib.error.HTTPError as error:
        if error.code != 428:
            raise
        return None, json.load(error)


def ask(url, feature, question, user, choose):
    """The answer; None when the user did not agree. `choose` gets a sentence to show and the offers."""
    answer, asked = send(url, feature, question, user)
    if asked is None:
        return answer
    offer = choose(asked["error"]["message"], asked["breakwater"]["offers"])
    if offer is None:
        return None
    # The same request again, with the token: it goes to the agreed target and nowhere else.
    answer, _ = send(url, feature, question, user, offer["token"])
    return answer


def in_terminal(sentence, offers):
    print(sentence)
    for number, offer in enumerate(offers, 1):
        print(f"  {number}: {offer['target']} ({offer['company']}, region {offer['region']}, kept: {offer['retention']})")
    chosen = input("Which one? (Enter: none) ")
    return offers[int(chosen) - 1] if chosen.isdigit() and 0 < int(chosen) <= len(offers) else None


if __name__ == "__main__":
    url, feature, question = (sys.argv[1:] + ["http://127.0.0.1:4100", "contract-review", "Hello"][len(sys.argv) - 1 :])[:3]
    print(ask(url, feature, question, "u-1", in_terminal) or "Not sent: you did not agree.")
