//! Where the consent page's form goes: the person has decided.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::cookie;
use super::super::form::Form;
use super::super::grant::{Asked, ConsentRequest, FLOW_SECONDS, Flow, Proof, Sealed as _};
use super::super::pkce::CodeVerifier;
use super::super::server::AuthorizationServer;
use super::super::visit::Visit;
use super::super::waiting::{NoProvider, Stop, Tried};
use crate::decision::LocalResponse;
use crate::digest::Digest;
use crate::flights::Errand;
use crate::modes::Desk;
use crate::reason::Reason;

/// The cookies that hold flows: each is named by its `state`.
const FLOW: &str = "portcullis-flow-";

/// 132 random bits: it names a cookie, so it is short.
const STATE_CHARACTERS: usize = 22;

/// The most flows of one browser at once, so that its cookies stay within what servers take.
const MAX_FLOWS: usize = 4;

/// The longest cookie that browsers keep, in octets of name and value (RFC 6265 §6.1), and some
/// room.
const MAX_COOKIE: usize = 4000;

impl AuthorizationServer {
    /// Sends the browser on to the provider, or back to the client.
    pub(in super::super) fn consent(
        &mut self,
        visit: &Visit,
        body: &[u8],
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let (request, approved) = self.decided(visit, body, desk)?;
        let asked = request.asked;
        if !approved {
            let pairs = [
                ("error", "access_denied"),
                ("error_description", "access was denied"),
            ];
            let state = &asked.state;
            return Ok(self.send_back(&asked.redirect_uri, state, &pairs, Reason::ConsentDenied));
        }
        let provider = match self.provider(tried, desk) {
            Ok(provider) => provider,
            Err(NoProvider::Wait) => return Err(Stop::Again(Errand::Jwks)),
            Err(NoProvider::Outage(outage)) => return Ok(self.down(&asked, outage.reason())),
        };
        let Some(endpoint) = provider.authorization_endpoint() else {
            return Ok(self.down(&asked, Reason::CallGarbage));
        };
        let proof = Proof {
            verifier: CodeVerifier::from_entropy(self.entropy.draw()),
            nonce: URL_SAFE_NO_PAD.encode(self.entropy.draw()),
        };
        let mut state = URL_SAFE_NO_PAD.encode(self.entropy.draw());
        state.truncate(STATE_CHARACTERS);
        let prompt = Some(asked.prompt.as_str()).filter(|prompt| !prompt.is_empty());
        let location = self
            .mode
            .client
            .sign_in_url(endpoint, &state, &proof, prompt);
        let flow = Flow {
            asked,
            proof,
            state,
            until: desk.now.plus(FLOW_SECONDS),
        };
        let name = self.flow_cookie(&flow.state);
        let sealed = flow.seal(&self.sealer, &mut self.entropy);
        let sealed = sealed.filter(|sealed| name.len() + sealed.len() <= MAX_COOKIE);
        let Some(sealed) = sealed else {
            return Ok(self.malformed());
        };
        let mut response = self.redirect(location, Reason::ConsentGiven);
        for old in self.flows_too_many(visit) {
            self.set_cookie(&mut response, &old, "", 0);
        }
        self.set_cookie(&mut response, &name, &sealed, FLOW_SECONDS);
        Ok(response)
    }

    /// Returns the name of the cookie that holds the flow with this `state`.
    pub(super) fn flow_cookie(&self, state: &str) -> String {
        self.cookie_name(&format!("{FLOW}{state}"))
    }

    /// Tells a client that the provider cannot be asked.
    pub(super) fn down(&self, asked: &Asked, reason: Reason) -> LocalResponse {
        let pairs = [
            ("error", "temporarily_unavailable"),
            (
                "error_description",
                "the authorization server cannot be reached, try again later",
            ),
        ];
        self.send_back(&asked.redirect_uri, &asked.state, &pairs, reason)
    }

    /// Reads the form, which must come from a page that this browser was shown.
    fn decided(
        &self,
        visit: &Visit,
        body: &[u8],
        desk: &Desk<'_>,
    ) -> Result<(ConsentRequest, bool), Stop> {
        let Ok(form) = Form::parse(body) else {
            return Err(self.malformed().into());
        };
        let (Ok(Some(request)), Ok(decision)) = (form.get("request"), form.get("decision")) else {
            return Err(self.malformed().into());
        };
        let approved = match decision {
            Some("approve") => true,
            Some("deny") => false,
            Some(_) | None => return Err(self.malformed().into()),
        };
        let request = ConsentRequest::open(&self.sealer, request, desk.now);
        let browser = self.browser(visit);
        let (Some(request), Some(browser)) = (request, browser) else {
            let text = "The page was open for too long, or cookies are switched off. \
                Start again from the application.";
            let title = "The sign-in cannot go on";
            return Err(self
                .error_page(400, title, text, Reason::ConsentLapsed)
                .into());
        };
        let same = Digest::of(&[browser.as_bytes()]).matches(&request.browser);
        if !same || !visit.is_same_origin {
            let text = "The answer did not come from the page that you were shown. \
                Start again from the application.";
            let title = "The sign-in cannot go on";
            return Err(self
                .error_page(403, title, text, Reason::ConsentForged)
                .into());
        }
        Ok((request, approved))
    }

    /// Returns the cookies of flows that make room for one more: browsers send the oldest first
    /// (RFC 6265 §5.4).
    fn flows_too_many(&self, visit: &Visit) -> Vec<String> {
        let prefix = self.cookie_name(FLOW);
        let names: Vec<&str> = cookie::names_with_prefix(visit.cookies(), &prefix).collect();
        let surplus = (names.len() + 1).saturating_sub(MAX_FLOWS);
        // What others named is not sent back as it is.
        let own = |name: &&&str| {
            let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
            name.bytes().all(plain)
        };
        let old = names.iter().take(surplus).filter(own);
        old.map(|name| String::from(*name)).collect()
    }
}
