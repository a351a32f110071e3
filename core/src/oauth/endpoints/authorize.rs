//! The authorization endpoint: checks what a client asks for, then asks the person.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::authorize::{self, AuthorizeFault, Registered};
use super::super::client::Client;
use super::super::cookie;
use super::super::deny_list::client_digest;
use super::super::error::OAuthError;
use super::super::form::Form;
use super::super::grant::{Asked, CONSENT_SECONDS, ConsentRequest, Sealed as _};
use super::super::page::consent::ConsentPage;
use super::super::redirect_uri::RedirectUri;
use super::super::server::{AuthorizationServer, refuse, unavailable};
use super::super::visit::Visit;
use super::super::waiting::{NoClient, Stop, Tried};
use crate::ambient::UnixSeconds;
use crate::decision::LocalResponse;
use crate::denial::Outage;
use crate::digest::Digest;
use crate::modes::Desk;
use crate::reason::Reason;
use crate::url::HttpUrl;

/// The cookie that ties a consent page to the browser that shows it.
const BROWSER: &str = "portcullis-browser";

impl AuthorizationServer {
    /// Shows the consent page.
    pub(in super::super) fn authorize(
        &mut self,
        visit: &Visit,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let Ok(query) = Form::of_query(&visit.path) else {
            return Ok(self.malformed());
        };
        let Ok(Some(client_id)) = query.get("client_id") else {
            let text = "The request does not say which application it comes from.";
            return Ok(self.error_page(
                400,
                "The sign-in cannot begin",
                text,
                Reason::InvalidRequest,
            ));
        };
        let client = match self.client(client_id, tried, desk) {
            Ok(client) => client,
            Err(NoClient::Wait(errand)) => return Err(Stop::Again(errand)),
            Err(NoClient::Unknown) => return Ok(self.unknown_client(visit)),
            Err(NoClient::Outage(outage)) => return Ok(self.silent_client(visit, outage)),
        };
        if self.mode.denied.has_client(&client_digest(client_id)) {
            let text = "Access for this application was withdrawn.";
            return Ok(self.error_page(
                403,
                "The sign-in cannot begin",
                text,
                Reason::ClientDenied,
            ));
        }
        let registered = Registered {
            id: client_id,
            redirect_uris: client.redirect_uris(),
        };
        let answer = match authorize::read(&query, &registered, &self.resource, &self.scope) {
            Ok(asked) => self.ask(visit, asked, client_id, &client, desk.now),
            Err(AuthorizeFault::Shown(text)) => self.error_page(
                400,
                "The sign-in cannot begin",
                text,
                Reason::InvalidRedirectUri,
            ),
            Err(AuthorizeFault::Returned {
                redirect_uri,
                state,
                error,
                description,
            }) => {
                let pairs = [("error", error.name()), ("error_description", description)];
                self.send_back(&redirect_uri, &state, &pairs, error)
            }
        };
        Ok(answer)
    }

    /// Returns the browser's own cookie.
    pub(super) fn browser<'a>(&self, visit: &'a Visit) -> Option<&'a str> {
        let name = self.cookie_name(BROWSER);
        let value = cookie::find(visit.cookies(), &name)?;
        // As long as those that are made here: who plants a shorter one could guess others.
        (URL_SAFE_NO_PAD.decode(value).ok()?.len() == 32).then_some(value)
    }

    fn ask(
        &mut self,
        visit: &Visit,
        asked: Asked,
        client_id: &str,
        client: &Client,
        now: UnixSeconds,
    ) -> LocalResponse {
        let Ok(redirect_uri) = RedirectUri::parse(&asked.redirect_uri) else {
            return self.malformed();
        };
        // Pages that are open side by side share the cookie.
        let browser = self
            .browser(visit)
            .map_or_else(|| URL_SAFE_NO_PAD.encode(self.entropy.draw()), String::from);
        let request = ConsentRequest {
            asked,
            browser: Digest::of(&[browser.as_bytes()]),
            until: now.plus(CONSENT_SECONDS),
        };
        let Some(sealed) = request.seal(&self.sealer, &mut self.entropy) else {
            return self.malformed();
        };
        let scopes: Vec<&str> = request
            .asked
            .scope
            .split(' ')
            .filter(|word| !word.is_empty())
            .collect();
        let published_at = HttpUrl::parse(client_id).ok();
        let page = ConsentPage {
            branding: &self.mode.branding,
            client_name: client.name(),
            published_at: published_at.as_ref().map(HttpUrl::host),
            redirect_uri: &redirect_uri,
            scopes: &scopes,
            resource: &self.resource,
            form_action: "/consent",
            request: &sealed,
            form_sources: &self.form_sources(),
        };
        let mut response = page.render().into_response(200, Reason::ConsentAsked);
        let name = self.cookie_name(BROWSER);
        self.set_cookie(&mut response, &name, &browser, CONSENT_SECONDS);
        response
    }

    /// Returns where the form leads by plain http: to a provider on this computer.
    fn form_sources(&self) -> Vec<String> {
        let document = &self.mode.document;
        if document.is_https() {
            return Vec::new();
        }
        [format!("http://{}", document.authority())].into()
    }

    /// Answers for a client that cannot be told: programs register again on this very error.
    fn unknown_client(&self, visit: &Visit) -> LocalResponse {
        if visit.shows_pages {
            let text = "The application is not registered here any more. \
                Start again from the application; if that does not help, have it forget this server.";
            return self.error_page(401, "Unknown application", text, Reason::InvalidClient);
        }
        refuse(OAuthError::invalid_client(), visit.cors.as_ref())
    }

    /// Answers for a client whose own server does not say what it is.
    fn silent_client(&self, visit: &Visit, outage: Outage) -> LocalResponse {
        if visit.shows_pages {
            let text = "The application's own server gives no answer. Try again in a moment.";
            let title = "The sign-in cannot begin";
            return self.error_page(503, title, text, outage.reason());
        }
        unavailable(outage, visit.cors.as_ref())
    }

    pub(super) fn malformed(&self) -> LocalResponse {
        let text = "The request is malformed. Start again from the application.";
        self.error_page(
            400,
            "The sign-in cannot go on",
            text,
            Reason::InvalidRequest,
        )
    }
}
