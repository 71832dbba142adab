"""What the official Python clients make of Breakwater, as they come: one JSON object of everything they saw.

    python clients.py http://127.0.0.1:4100
"""

import json
import sys

import anthropic
import openai

url = sys.argv[1]
question = [{"role": "user", "content": "Hello"}]
gpt = openai.OpenAI(api_key="any", base_url=f"{url}/v1")
claude = anthropic.Anthropic(api_key="any", base_url=url)


def chat(model, headers=None):
    return gpt.chat.completions.create(model=model, messages=question, extra_headers=headers)


def message(model, headers=None):
    return claude.messages.create(model=model, max_tokens=50, messages=question, extra_headers=headers)


def chat_stream():
    pieces = gpt.chat.completions.create(model="chat", messages=question, stream=True)
    return "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)


def message_stream():
    with claude.messages.stream(model="notes", max_tokens=50, messages=question) as stream:
        return "".join(stream.text_stream)


def caught(kind, act):
    """The error as a product meets it: its class, status, code and body."""
    try:
        act()
    except kind as error:
        return {"class": type(error).__name__, "status": error.status_code, "body": error.body, "message": str(error)}
    return None


def offer_in(asked):
    body = asked["body"]
    breakwater = body.get("breakwater") or {"offers": body.get("offers")}
    return breakwater["offers"][0]


asked_chat = caught(openai.APIStatusError, lambda: chat("contract"))
asked_message = caught(anthropic.APIStatusError, lambda: message("contract"))
token = {"x-breakwater-consent": offer_in(asked_chat)["token"]}
agreed_chat = chat("contract", token)
agreed_message = message("contract", {"x-breakwater-consent": offer_in(asked_message)["token"]})

print(
    json.dumps(
        {
            "chat": chat("chat").choices[0].message.content,
            "chat_stream": chat_stream(),
            "message": message("notes").content[0].text,
            "message_stream": message_stream(),
            "chat_error": caught(openai.NotFoundError, lambda: chat("no-such-model")),
            "message_error": caught(anthropic.NotFoundError, lambda: message("no-such-model")),
            "chat_denied": caught(openai.PermissionDeniedError, lambda: chat("chat", {"x-breakwater-data-class": "restricted"})),
            "message_denied": caught(
                anthropic.PermissionDeniedError, lambda: message("notes", {"x-breakwater-data-class": "restricted"})
            ),
            "chat_asked": asked_chat,
            "chat_agreed": agreed_chat.choices[0].message.content,
            "chat_replayed": caught(openai.BadRequestError, lambda: chat("contract", token)),
            "message_asked": asked_message,
            "message_agreed": agreed_message.content[0].text,
        }
    )
)
