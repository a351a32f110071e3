#!/usr/bin/env python3
"""A browser without a screen: signs a person in, for tests and the demo.

usage: browser.py [approve|deny] URL

Goes to URL with an empty cookie jar, follows redirects, answers the gateway's consent page as
asked (by default it approves), fills in the provider's pages (any name, any password), and ends
where no page asks for more: at the client's own loopback address. Prints one JSON object: {"url",
"status", "pages": the titles of the pages that it answered}. Exit code 0 when it got there.

It obeys what a browser would: cookies by host, path and `Secure`; a form is sent with `Origin` and
`Sec-Fetch-Site`. Content security policies and `SameSite` take a real browser:
tests/e2e/browser/chromium.mjs is used alike.
"""

import html.parser
import http.cookiejar
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

MOST_PAGES = 10
PATIENCE_SECONDS = 20


class Form(html.parser.HTMLParser):
    """The first form of a page: its fields, its buttons and where it goes."""

    def __init__(self, page):
        super().__init__()
        self.action = None
        self.fields = {}
        self.buttons = []
        self.title = ""
        self._within = None
        self._ended = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "title":
            self._within = "title"
        elif tag == "form" and self.action is None:
            self.action = attributes.get("action", "")
        elif self.action is not None and not self._ended:
            self.add_control(tag, attributes)

    def add_control(self, tag, attributes):
        name, value = attributes.get("name"), attributes.get("value", "")
        kind = attributes.get("type", "submit" if tag == "button" else "text")
        if name and kind == "submit":
            self.buttons.append((name, value))
        elif name and tag == "input":
            self.fields[name] = value or {"text": "alice", "password": "any"}.get(kind, "")

    def handle_endtag(self, tag):
        self._within = None
        self._ended = self._ended or (tag == "form" and self.action is not None)

    def handle_data(self, data):
        if self._within == "title":
            self.title += data.strip()

    def submission(self, decision):
        """Returns the fields to send; `decision` is the button to press where there is one."""
        fields = dict(self.fields)
        if ("decision", decision) in self.buttons:
            fields["decision"] = decision
        elif any(name == "decision" for name, _ in self.buttons):
            raise ValueError(f"the page has no button for {decision}: {self.buttons}")
        return urllib.parse.urlencode(fields).encode()


class PatientHandler(urllib.request.HTTPHandler):
    """Loads a page again while nobody listens there, as people do: some clients open the browser
    before they listen for its answer."""

    def http_open(self, req):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return super().http_open(req)
            except urllib.error.URLError as error:
                refused = isinstance(error.reason, ConnectionRefusedError)
                if not refused or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)


class Browser:
    """One person's browser: what it did and the cookies it holds."""

    def __init__(self, decision="approve"):
        self.decision = decision
        self.pages = []
        jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(jar)
        # Proxies are for the world outside; everything here is on loopback.
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), cookies, PatientHandler()
        )
        self.opener.addheaders = [("User-Agent", "portcullis-browser"), ("Accept", "text/html")]

    def visit(self, url):
        """Goes to `url` and on, until no page has a form, and returns the last answer."""
        answer, page = self.load(url)
        for _ in range(MOST_PAGES):
            form = Form(page)
            if form.action is None:
                return answer
            self.pages.append(form.title)
            answer, page = self.submit(answer.url, form)
        raise ValueError(f"there is no end of pages: {self.pages}")

    def submit(self, page_url, form):
        target = urllib.parse.urljoin(page_url, form.action)
        page, there = (urllib.parse.urlsplit(url) for url in (page_url, target))
        request = urllib.request.Request(target, form.submission(self.decision))
        request.add_header("Origin", f"{page.scheme}://{page.netloc}")
        same = (page.scheme, page.netloc) == (there.scheme, there.netloc)
        request.add_header("Sec-Fetch-Site", "same-origin" if same else "cross-site")
        return self.load(request)

    def load(self, request):
        try:
            answer = self.opener.open(request, timeout=PATIENCE_SECONDS)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        with answer:
            return answer, answer.read().decode("utf-8", "replace")


def main(arguments):
    decision, *urls = arguments if len(arguments) == 2 else ["approve", *arguments]
    if decision not in ("approve", "deny") or len(urls) != 1:
        sys.exit(__doc__)
    browser = Browser(decision)
    answer = browser.visit(urls[0])
    print(json.dumps({"url": answer.url, "status": answer.status, "pages": browser.pages}))
    return 0 if answer.status < 400 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
