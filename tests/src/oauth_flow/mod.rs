//! Signing in by OAuth, step by step: each step is one request or a chain of redirects, takes what
//! the step before gave, and may be given something else by a test that means harm.

mod attempt;
mod browser;
pub mod form;

use std::net::SocketAddr;

use serde_json::json;

pub(crate) use attempt::random;
use attempt::text;
pub use attempt::{Attempt, Client, Tokens};
pub use browser::Browser;

use crate::client::{Request, Response};
use crate::gateway::Gateway;

/// How many redirects a provider may need to send somebody back.
const MOST_REDIRECTS: usize = 8;

/// One gateway or several replicas, under one public origin.
pub struct Site<'a> {
    origin: String,
    send: Box<dyn Fn(&Request) -> Response + Sync + 'a>,
}

/// What the consent page would send.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The sealed request of the form.
    pub request: String,
}

impl<'a> Site<'a> {
    /// Makes the site of one gateway, which must be told its base URL by [`Self::origin_at`].
    #[must_use]
    pub fn of(gateway: &'a Gateway) -> Self {
        let origin = Self::origin_at(gateway.address());
        Self::new(origin, |request| gateway.send(request))
    }

    /// Makes a site whose requests are sent by `send`.
    pub fn new(origin: String, send: impl Fn(&Request) -> Response + Sync + 'a) -> Self {
        let send = Box::new(send);
        Self { origin, send }
    }

    /// Returns the origin of what listens at `address`.
    #[must_use]
    pub fn origin_at(address: SocketAddr) -> String {
        format!("http://{address}")
    }

    /// Returns the origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns the identifier of the protected resource.
    #[must_use]
    pub fn resource(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// Begins a request to the site.
    #[must_use]
    pub fn request(&self, method: &str, target: &str) -> Request {
        let (_, authority) = self.origin.split_once("://").unwrap();
        Request::bare(method, target).field("Host", authority)
    }

    /// Sends a request to whichever replica is picked.
    #[must_use]
    pub fn send(&self, request: &Request) -> Response {
        (self.send)(request)
    }

    /// Posts a form, as a client does that is no browser.
    #[must_use]
    pub fn post(&self, target: &str, fields: &[(&str, &str)]) -> Response {
        self.send(&form_request(self.request("POST", target), fields))
    }

    /// Registers a client with one redirect URI.
    ///
    /// # Panics
    ///
    /// Panics when that is refused.
    #[must_use]
    pub fn register(&self, redirect_uri: &str) -> Client {
        let metadata = json!({
            "client_name": "Flow",
            "redirect_uris": [redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
        });
        let request = self
            .request("POST", "/register")
            .field("Content-Type", "application/json")
            .body(metadata.to_string());
        let answer = self.send(&request);
        assert_eq!(answer.status, 201, "{}", answer.text());
        Client {
            id: text(&answer.json(), "client_id"),
            redirect_uri: redirect_uri.to_owned(),
        }
    }

    /// Begins a sign-in at this site.
    #[must_use]
    pub fn attempt(&self, client: &Client) -> Attempt {
        Attempt {
            client: client.clone(),
            state: random(),
            verifier: random(),
            resource: self.resource(),
            scope: "mcp:tools offline_access".to_owned(),
        }
    }

    /// Opens the consent page.
    ///
    /// # Panics
    ///
    /// Panics when there is none.
    #[must_use]
    pub fn authorize(&self, browser: &mut Browser, attempt: &Attempt) -> Consent {
        let request = browser.get(self, &attempt.target());
        let answer = browser.note("/authorize", self.send(&request));
        assert_eq!(answer.status, 200, "{}", answer.text());
        Consent {
            request: form::hidden(&answer.text(), "request"),
        }
    }

    /// Answers the consent page by `approve` or `deny` and returns the gateway's answer.
    #[must_use]
    pub fn decide(&self, browser: &mut Browser, consent: &Consent, decision: &str) -> Response {
        let fields = [
            ("request", consent.request.as_str()),
            ("decision", decision),
        ];
        let request = browser.post(self, "/consent");
        browser.note("/consent", self.send(&form_request(request, &fields)))
    }

    /// Comes back from the provider and returns the gateway's answer.
    ///
    /// # Panics
    ///
    /// Panics when `url` is not of this site.
    #[must_use]
    pub fn come_back(&self, browser: &mut Browser, url: &str) -> Response {
        let target = url.strip_prefix(&self.origin).unwrap();
        let request = browser.get(self, target);
        browser.note(form::path(target), self.send(&request))
    }

    /// Signs somebody in up to the code: page, consent, provider and back.
    ///
    /// # Panics
    ///
    /// Panics when a step is refused.
    #[must_use]
    pub fn code(&self, browser: &mut Browser, attempt: &Attempt) -> String {
        let consent = self.authorize(browser, attempt);
        let away = location(&self.decide(browser, &consent, "approve"));
        let back = browser.sign_in(&away);
        let home = location(&self.come_back(browser, &back));
        attempt.read(&home, &self.origin)
    }

    /// Swaps a code and returns the answer of the token endpoint.
    #[must_use]
    pub fn redeem(&self, attempt: &Attempt, code: &str) -> Response {
        self.post(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("code_verifier", &attempt.verifier),
                ("redirect_uri", &attempt.client.redirect_uri),
                ("client_id", &attempt.client.id),
                ("resource", &attempt.resource),
            ],
        )
    }

    /// Swaps a refresh token and returns the answer of the token endpoint.
    #[must_use]
    pub fn refresh(&self, client: &Client, refresh_token: &str) -> Response {
        self.post(
            "/token",
            &[
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh_token),
                ("client_id", &client.id),
            ],
        )
    }

    /// Asks the protected resource with an access token.
    #[must_use]
    pub fn call(&self, access_token: &str) -> Response {
        let request = self
            .request("POST", "/mcp")
            .field("Authorization", format!("Bearer {access_token}"))
            .field("Content-Type", "application/json")
            .body("{}");
        self.send(&request)
    }

    /// Signs somebody in, from registration to tokens.
    ///
    /// # Panics
    ///
    /// Panics when a step is refused.
    #[must_use]
    pub fn sign_in(&self) -> (Client, Tokens) {
        let client = self.register("http://127.0.0.1:7/callback");
        let attempt = self.attempt(&client);
        let code = self.code(&mut Browser::default(), &attempt);
        let tokens = Tokens::read(&self.redeem(&attempt, &code));
        (client, tokens)
    }
}

/// Returns where an answer redirects to.
///
/// # Panics
///
/// Panics when it does not.
#[must_use]
pub fn location(answer: &Response) -> String {
    let redirects = matches!(answer.status, 302 | 303);
    assert!(redirects, "{}: {}", answer.status, answer.text());
    answer.value("location")
}

/// Adds a form to a request.
#[must_use]
pub fn form_request(request: Request, fields: &[(&str, &str)]) -> Request {
    request
        .field("Content-Type", "application/x-www-form-urlencoded")
        .body(form::encode(fields))
}
