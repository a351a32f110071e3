//! Where the provider sends the browser back to. Its code is not spent here: it goes to the client
//! inside our own.

use super::super::callback::{self, CallbackFault, Issuer, Returned};
use super::super::cookie;
use super::super::form::Form;
use super::super::grant::{Flow, Sealed as _};
use super::super::server::AuthorizationServer;
use super::super::visit::Visit;
use super::super::waiting::{NoProvider, Stop, Tried};
use crate::decision::LocalResponse;
use crate::flights::Errand;
use crate::modes::Desk;
use crate::reason::Reason;

/// What an answer of the provider says to us; Entra adds lines of text for its own support.
const PARAMETERS: [&str; 4] = ["state", "code", "error", "iss"];

impl AuthorizationServer {
    /// Sends the browser back to the client.
    pub(in super::super) fn callback(
        &mut self,
        visit: &Visit,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<LocalResponse, Stop> {
        let Ok(query) = Form::of_query_only(&visit.path, &PARAMETERS) else {
            return Ok(self.malformed());
        };
        let state = match callback::state(&query) {
            Ok(state) => state,
            Err(fault) => return Ok(self.disbelieve(fault)),
        };
        let name = self.flow_cookie(state);
        let held = cookie::find(visit.cookies(), &name);
        let flow = held.and_then(|held| Flow::open(&self.sealer, held, desk.now));
        let Some(flow) = flow else {
            return Ok(self.disbelieve(CallbackFault::NotOurFlow));
        };
        let provider = match self.provider(tried, desk) {
            Ok(provider) => provider,
            Err(NoProvider::Wait) => return Err(Stop::Again(Errand::Jwks)),
            Err(NoProvider::Outage(outage)) => {
                return Ok(self.down(&flow.asked, outage.reason()));
            }
        };
        let issuer = Issuer {
            identifier: provider.issuer(),
            names_itself: provider.names_itself(),
        };
        let mut response = match callback::read(&query, Some(flow), &issuer, desk.now) {
            Ok(Returned::Code(code)) => {
                let Some(sealed) = code.seal(&self.sealer, &mut self.entropy) else {
                    return Ok(self.malformed());
                };
                let asked = &code.asked;
                let pairs = [("code", sealed.as_str())];
                self.send_back(
                    &asked.redirect_uri,
                    &asked.state,
                    &pairs,
                    Reason::CodeIssued,
                )
            }
            Ok(Returned::Error { flow, error }) => {
                let asked = &flow.asked;
                let pairs = [("error", error)];
                self.send_back(&asked.redirect_uri, &asked.state, &pairs, Reason::IdpDenied)
            }
            Err(fault) => return Ok(self.disbelieve(fault)),
        };
        self.set_cookie(&mut response, &name, "", 0);
        Ok(response)
    }

    /// Shows a person that the answer is believed by nobody.
    fn disbelieve(&self, fault: CallbackFault) -> LocalResponse {
        let (text, reason) = match fault {
            CallbackFault::Malformed => (
                "The answer of the sign-in page is malformed. Start again from the application.",
                Reason::CallbackMalformed,
            ),
            CallbackFault::NotOurFlow => (
                "This browser did not begin the sign-in, it took too long, or cookies are switched \
                 off. Start again from the application.",
                Reason::CallbackOfNoFlow,
            ),
            CallbackFault::OtherIssuer => (
                "The answer comes from another sign-in page than you were sent to. \
                 Start again from the application.",
                Reason::CallbackOfOtherIssuer,
            ),
        };
        self.error_page(400, "The sign-in cannot go on", text, reason)
    }
}
