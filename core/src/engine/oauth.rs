//! Requests to the authorization server.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::Engine;
use crate::ambient::Ambient;
use crate::denial::{Denial, Outage, json_response};
use crate::modes::Authenticator;
use crate::oauth::{Arrived, OAuthEndpoint, Served, Tried, Visit, Waiting};
use crate::reason::Reason;
use crate::request::RequestHead;
use crate::rules::CorsGrant;
use crate::step::{Brought, PendingBody, PendingRequest, RequestBody, Step, Suspended};

impl Engine {
    /// Goes on with a request whose body was read, or will not be.
    pub fn handle_body(
        &mut self,
        pending: PendingBody,
        body: RequestBody<'_>,
        ambient: Ambient,
    ) -> Step {
        let visit = pending.0;
        match body {
            RequestBody::Whole(body) => self.serve(visit, body.to_vec(), ambient),
            RequestBody::TooLarge => too_large(visit.cors.as_ref()),
            RequestBody::Missing => {
                let denial = Denial::AuthorizationServerUnavailable(Outage::NoBody);
                Step::respond(denial.respond(&self.config, visit.cors.as_ref()))
            }
        }
    }

    /// Tells whether another gateway answers for the authorization server.
    pub(super) const fn passes_on(&self) -> bool {
        match &self.authenticator {
            Authenticator::OidcProxy(proxy) => !proxy.signs_in(),
            Authenticator::None(_)
            | Authenticator::ApiKey(_)
            | Authenticator::Jwt(_)
            | Authenticator::Zscaler(_) => false,
        }
    }

    /// Begins a request.
    pub(super) fn visit(
        &mut self,
        head: &RequestHead<'_>,
        endpoint: OAuthEndpoint,
        cors: Option<CorsGrant>,
        ambient: Ambient,
    ) -> Step {
        // Metadata, registration and tokens are for every page, as no cookie counts there.
        let cors = match (cors, &self.config.access.origins) {
            (None, None) if endpoint.is_for_scripts() => Some(CorsGrant::anybody()),
            (cors, _) => cors,
        };
        if !endpoint.takes(head.method) {
            let headers = [("allow", endpoint.allow().to_string())].into();
            let body =
                br#"{"error":"invalid_request","error_description":"the method is not allowed"}"#;
            let cors = cors.as_ref();
            let response =
                json_response(405, headers, body.to_vec(), Reason::MethodNotAllowed, cors);
            return Step::respond(response);
        }
        let origin = self
            .config
            .resource
            .as_ref()
            .map(|resource| resource.origin());
        let visit = Visit::of(head, endpoint, cors, origin.unwrap_or_default());
        match endpoint.max_body() {
            None => self.serve(visit, Vec::new(), ambient),
            Some(max_octets) if announces_more(head, max_octets) => too_large(visit.cors.as_ref()),
            Some(max_octets) => Step::ReadBody {
                max_octets,
                pending: PendingBody(visit),
            },
        }
    }

    /// Goes on with a parked request.
    pub(super) fn resume_visit(
        &mut self,
        waiting: Waiting,
        brought: &Brought,
        ambient: Ambient,
    ) -> Step {
        let arrived = match brought {
            Brought::Tokens(finding) => Arrived::Tokens(finding),
            Brought::Revoked(result) => Arrived::Revoked(*result),
            Brought::News => Arrived::News,
            Brought::Validated(..) | Brought::NothingInTime => Arrived::Nothing,
        };
        let (authenticator, mut desk) = self.desk(ambient.now);
        let Authenticator::OidcProxy(proxy) = authenticator else {
            return self.no_server();
        };
        let served = proxy.server.resume(waiting, &arrived, &mut desk);
        self.settle(served)
    }

    fn serve(&mut self, visit: Visit, body: Vec<u8>, ambient: Ambient) -> Step {
        let (authenticator, mut desk) = self.desk(ambient.now);
        let Authenticator::OidcProxy(proxy) = authenticator else {
            return self.no_server();
        };
        let served = proxy.server.serve(visit, body, Tried::default(), &mut desk);
        self.settle(served)
    }

    fn settle(&mut self, served: Served) -> Step {
        let (errand, waiting) = match served {
            Served::Answer(response) => return Step::respond(response),
            Served::Await(errand, waiting) => (errand, waiting),
        };
        match self.flights.join(&errand) {
            Some(ticket) => Step::Wait {
                ticket,
                pending: PendingRequest(Suspended::Visit(waiting)),
            },
            None => self.no_server(),
        }
    }

    /// Answers where there is nothing to answer with: what is asked for is of another mode.
    fn no_server(&self) -> Step {
        let denial = Denial::AuthorizationServerUnavailable(Outage::WaitedTooLong);
        Step::respond(denial.respond(&self.config, None))
    }
}

/// Tells whether a request says that its body is larger than what is read.
fn announces_more(head: &RequestHead<'_>, max_octets: usize) -> bool {
    let number = |value: &[u8]| core::str::from_utf8(value).ok()?.parse::<u64>().ok();
    let mut lengths = head.values("content-length").filter_map(number);
    let max = u64::try_from(max_octets).unwrap_or(u64::MAX);
    lengths.any(|length| length > max)
}

fn too_large(cors: Option<&CorsGrant>) -> Step {
    let body = br#"{"error":"invalid_request","error_description":"the body is too large"}"#;
    Step::respond(json_response(
        413,
        Vec::new(),
        body.to_vec(),
        Reason::BodyTooLarge,
        cors,
    ))
}
