//! The gateway as a client of the OpenID provider: the calls that it makes there.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::form::encode;
use super::grant::{Code, Proof};
use super::profile::{ClientAuthentication, Profile};
use crate::cache::Described;
use crate::upstream::{Reach, UpstreamCall};
use crate::url::HttpUrl;

const TIMEOUT_SECONDS: u32 = 10;

/// The largest answer of a token endpoint, in octets: three tokens of 64 KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Parameters that settings add to a request.
pub(crate) type Parameters = Vec<(String, String)>;

/// How the provider knows the gateway, and what it is asked for.
#[derive(Clone)]
pub(crate) struct ProviderClient {
    pub(crate) id: String,
    /// Absent for a client that PKCE alone protects.
    pub(crate) secret: Option<String>,
    pub(crate) redirect_uri: String,
    /// Words that blanks part.
    pub(crate) scope: String,
    pub(crate) profile: Profile,
    /// What `audience` is sent as, where the provider needs it.
    pub(crate) audience: Option<String>,
    pub(crate) extra_authorize: Parameters,
    pub(crate) extra_token: Parameters,
}

impl fmt::Debug for ProviderClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProviderClient({}, …)", self.id)
    }
}

impl ProviderClient {
    /// Returns where a browser is sent to sign in (OpenID Connect Core 1.0 §3.1.2.1).
    ///
    /// `resource` (RFC 8707) is never sent: our access tokens are our own, most providers ignore
    /// it, and Entra's v2.0 endpoint refuses it beside scopes (AADSTS9010010).
    pub(super) fn sign_in_url(
        &self,
        endpoint: &HttpUrl,
        state: &str,
        proof: &Proof,
        prompt: Option<&str>,
    ) -> String {
        let challenge = format!("{}", proof.verifier.challenge());
        let own: [(&str, &str); 8] = [
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", state),
            ("nonce", &proof.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let traits = self.profile.traits();
        // Where a refresh token takes consent, no client's wish may cost it.
        let needs_consent = traits.extra_authorize.contains(&("prompt", "consent"));
        let prompt = prompt.map(|prompt| match prompt {
            "none" => String::from(prompt),
            _ if needs_consent && !prompt.split(' ').any(|word| word == "consent") => {
                format!("{prompt} consent")
            }
            _ => String::from(prompt),
        });
        let mut pairs = Vec::from(own);
        let mut add = |name, value| {
            if !pairs.iter().any(|(known, _)| *known == name) {
                pairs.push((name, value));
            }
        };
        for (name, value) in &self.extra_authorize {
            add(name, value);
        }
        if let Some(prompt) = &prompt {
            add("prompt", prompt);
        }
        for (name, value) in traits.extra_authorize {
            add(name, value);
        }
        if let Some(audience) = self
            .audience
            .as_deref()
            .filter(|_| traits.audience_parameter)
        {
            add("audience", audience);
        }
        super::form::with_query(&format!("{endpoint}"), &pairs)
    }

    /// Makes the call that spends the provider's code (RFC 6749 §4.1.3, RFC 7636 §4.5).
    pub(super) fn exchange(&self, provider: &Described, code: &Code) -> Option<UpstreamCall> {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &code.code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", code.proof.verifier.as_str()),
        ];
        self.call(provider, provider.token_endpoint()?, &pairs)
    }

    /// Makes the call that refreshes (RFC 6749 §6).
    pub(crate) fn refresh(&self, provider: &Described, token: &str) -> Option<UpstreamCall> {
        let mut pairs = Vec::from([("grant_type", "refresh_token"), ("refresh_token", token)]);
        if self.profile.traits().refresh_needs_scope {
            pairs.push(("scope", &self.scope));
        }
        self.call(provider, provider.token_endpoint()?, &pairs)
    }

    /// Makes the call that revokes a refresh token (RFC 7009 §2.1), where the provider has an
    /// endpoint for it.
    pub(super) fn revoke(&self, provider: &Described, token: &str) -> Option<UpstreamCall> {
        let pairs = [("token", token), ("token_type_hint", "refresh_token")];
        self.call(provider, provider.revocation_endpoint()?, &pairs)
    }

    /// `None` where the endpoint takes no way to authenticate that there is here.
    fn call(
        &self,
        provider: &Described,
        endpoint: &HttpUrl,
        pairs: &[(&str, &str)],
    ) -> Option<UpstreamCall> {
        let form = b"application/x-www-form-urlencoded";
        let mut headers = Vec::from([
            ("accept", b"application/json".to_vec()),
            ("content-type", form.to_vec()),
        ]);
        let mut pairs = Vec::from(pairs);
        pairs.extend(borrowed(&self.extra_token));
        match &self.secret {
            None => pairs.push(("client_id", &self.id)),
            Some(secret) => {
                let usual = self.profile.traits().client_authentication;
                match usual.choose(provider.client_authentication())? {
                    ClientAuthentication::Basic => {
                        headers.push(("authorization", basic(&self.id, secret)));
                    }
                    ClientAuthentication::Post => {
                        pairs.push(("client_id", &self.id));
                        pairs.push(("client_secret", secret));
                    }
                }
            }
        }
        Some(UpstreamCall {
            url: endpoint.clone(),
            method: "POST",
            headers,
            body: encode(&pairs).into_bytes(),
            timeout_seconds: TIMEOUT_SECONDS,
            max_response_bytes: MAX_ANSWER_BYTES,
            reach: Reach::Anywhere,
        })
    }
}

/// Writes `client_secret_basic` (RFC 6749 §2.3.1): both parts are form-encoded first.
fn basic(id: &str, secret: &str) -> Vec<u8> {
    let encoded = |text: &str| {
        let pair = encode(&[("", text)]);
        String::from(pair.trim_start_matches('='))
    };
    let both = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", STANDARD.encode(both)).into_bytes()
}

fn borrowed(parameters: &Parameters) -> impl Iterator<Item = (&str, &str)> {
    parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
