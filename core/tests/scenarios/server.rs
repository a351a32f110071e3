//! What the gateway calls: an authorization server that counts, and the protected resource.

use std::collections::BTreeMap;

use portcullis_core::{CallFailure, CallOutcome, UpstreamCall, UpstreamResponse};
use serde_json::{Value, json};

pub(crate) const JWKS_URI: &str = "https://idp.example.com/jwks";
/// Where the discovery document is.
pub(crate) const DOCUMENT: &str = "/.well-known/openid-configuration";
pub(crate) const TOKEN_URL: &str = "https://idp.example.com/token";
pub(crate) const RESOURCE: &str = "http://127.0.0.1:9000";

/// The other end of every call.
pub(crate) struct Server {
    pub(crate) keys: Vec<Value>,
    /// The discovery document.
    pub(crate) document: Value,
    /// Header fields of a JWKS response.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// Given with the JWKS; a call that has it already is answered with 304.
    pub(crate) etag: Option<&'static str>,
    /// Clients by id and secret, with the rest of the answer to them.
    pub(crate) clients: BTreeMap<(String, String), Value>,
    /// What the authorization server answers while it is out of order.
    pub(crate) outage: Option<CallOutcome>,
    /// What the provider's token endpoint answers to a code or a refresh token.
    pub(crate) tokens: CallOutcome,
    /// What it answers to a revocation.
    pub(crate) revocation: CallOutcome,
    /// What is answered in place of the keys.
    pub(crate) keys_outage: Option<CallOutcome>,
    /// What the server of a client says of it.
    pub(crate) client_document: CallOutcome,
    /// What the protected resource answers.
    pub(crate) resource: CallOutcome,
    calls: Vec<UpstreamCall>,
}

pub(crate) fn response(status: u16, body: impl AsRef<[u8]>) -> CallOutcome {
    Ok(UpstreamResponse {
        status,
        headers: Vec::new(),
        body: body.as_ref().into(),
    })
}

/// Makes a JSON response.
pub(crate) fn json_response(status: u16, headers: &[(&str, &str)], body: &Value) -> CallOutcome {
    let json = [("content-type", "application/json")];
    let headers = json.iter().chain(headers);
    Ok(UpstreamResponse {
        status,
        headers: headers
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        body: body.to_string().into(),
    })
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            keys: Vec::new(),
            document: json!({ "issuer": "https://idp.example.com", "jwks_uri": JWKS_URI }),
            fields: Vec::new(),
            etag: None,
            clients: BTreeMap::new(),
            outage: None,
            client_document: response(404, ""),
            revocation: response(200, ""),
            keys_outage: None,
            tokens: response(400, r#"{"error":"invalid_grant"}"#),
            resource: response(404, ""),
            calls: Vec::new(),
        }
    }

    /// Registers a client whose tokens live for an hour.
    pub(crate) fn register(&mut self, id: &str, secret: &str) {
        self.register_for(id, secret, json!({ "expires_in": 3600 }));
    }

    /// Registers a client; `members` go into the answer beside an access token.
    pub(crate) fn register_for(&mut self, id: &str, secret: &str, members: Value) {
        self.clients.insert((id.into(), secret.into()), members);
    }

    pub(crate) fn go_down(&mut self) {
        self.outage = Some(Err(CallFailure::Unreachable));
    }

    /// Counts the calls so far whose path is `path`.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.calls
            .iter()
            .filter(|call| call.url.path() == path)
            .count()
    }

    /// Returns the form that the last call brought.
    pub(crate) fn last_form(&self) -> Vec<(String, String)> {
        form(&self.last_call().body)
    }

    pub(crate) fn last_call(&self) -> &UpstreamCall {
        self.calls.last().unwrap()
    }

    pub(crate) fn answer(&mut self, call: UpstreamCall) -> CallOutcome {
        self.calls.push(call.clone());
        match (call.url.path(), &self.outage) {
            ("/health", _) => self.resource.clone(),
            (_, Some(outage)) => outage.clone(),
            ("/jwks", None) => match &self.keys_outage {
                Some(outage) => outage.clone(),
                None => self.jwks(&call),
            },
            (DOCUMENT, None) => response(200, self.document.to_string()),
            ("/token", None) => self.token(&call),
            ("/oidc/token", None) => self.tokens.clone(),
            ("/oidc/revoke", None) => self.revocation.clone(),
            ("/client.json", None) => self.client_document.clone(),
            (path, None) => panic!("nobody asked to call {path}"),
        }
    }

    fn jwks(&self, call: &UpstreamCall) -> CallOutcome {
        assert_eq!((call.method, call.body.as_slice()), ("GET", &b""[..]));
        let known = call.headers.iter().any(|(name, value)| {
            *name == "if-none-match" && Some(&value[..]) == self.etag.map(str::as_bytes)
        });
        let mut headers: Vec<(String, Vec<u8>)> = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).into(), value.as_bytes().into()))
            .collect();
        if let Some(etag) = self.etag {
            headers.push(("etag".into(), etag.into()));
        }
        let (status, body) = if known {
            (304, Vec::new())
        } else {
            (200, json!({ "keys": self.keys }).to_string().into_bytes())
        };
        Ok(UpstreamResponse {
            status,
            headers,
            body,
        })
    }

    fn token(&self, call: &UpstreamCall) -> CallOutcome {
        assert_eq!(call.method, "POST");
        let form = form(&call.body);
        let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["grant_type", "client_id", "client_secret", "audience"]
        );
        let client = (form[1].1.clone(), form[2].1.clone());
        match self.clients.get(&client) {
            Some(members) => {
                let mut answer = json!({ "access_token": "opaque", "token_type": "Bearer" });
                for (name, value) in members.as_object().unwrap() {
                    answer[name] = value.clone();
                }
                response(200, answer.to_string())
            }
            None => response(
                401,
                r#"{"error":"invalid_client","error_description":"no"}"#,
            ),
        }
    }
}

/// Parses `application/x-www-form-urlencoded`.
pub(crate) fn form(body: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(body).unwrap();
    let fields = text.split('&').map(|field| field.split_once('=').unwrap());
    fields
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
