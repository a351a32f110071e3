//! Who the provider and the client of a request are.

use alloc::sync::Arc;

use super::client::Client;
use super::client_document::{
    Described as DescribedClient, DocumentFault, DocumentFinding, STALE_SECONDS, document_errand,
};
use super::deny_list::client_digest;
use super::seal::Purpose;
use super::server::AuthorizationServer;
use super::waiting::{NoClient, NoProvider, Tried};
use crate::ambient::UnixSeconds;
use crate::cache::{Described, KeySetState};
use crate::denial::Outage;
use crate::flights::Errand;
use crate::modes::{Desk, fetch};
use crate::step::{PendingCall, Underway};

impl AuthorizationServer {
    /// Returns what is known of the provider.
    pub(super) fn provider(
        &mut self,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<Described, NoProvider> {
        if let Some(described) = self.keys.described() {
            return if described.signs_in() {
                Ok(described.clone())
            } else {
                Err(NoProvider::Outage(Outage::Garbage))
            };
        }
        Err(self.look_up(tried, desk))
    }

    /// Sees to it that ID tokens can be checked, before a code is spent for one.
    pub(super) fn keys_first(
        &mut self,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<(), NoProvider> {
        if self.keys.state(desk.now) != KeySetState::Absent {
            return Ok(());
        }
        Err(self.look_up(tried, desk))
    }

    /// Returns the client with this identifier: it is sealed in it, or described at it. Redirect URIs
    /// that are not allowed (any more) are left out.
    pub(super) fn client(
        &mut self,
        client_id: &str,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<Arc<Client>, NoClient> {
        let client = match self.sealer.open(Purpose::Client, client_id) {
            Some(octets) => {
                let client = Client::from_octets(&octets);
                Arc::new(client.ok_or(NoClient::Unknown)?)
            }
            None => self.described_client(client_id, tried, desk)?,
        };
        Ok(match &self.mode.redirect_patterns {
            Some(allowed) => Arc::new(Client::clone(&client).keeping(allowed)),
            None => client,
        })
    }

    /// Begins to look the provider up, once for each request.
    fn look_up(&mut self, tried: Tried, desk: &mut Desk<'_>) -> NoProvider {
        if !tried.provider && fetch(&mut self.keys, desk.flights, desk.now) {
            return NoProvider::Wait;
        }
        NoProvider::Outage(self.keys.failure().unwrap_or(Outage::WaitedTooLong))
    }

    fn described_client(
        &mut self,
        client_id: &str,
        tried: Tried,
        desk: &mut Desk<'_>,
    ) -> Result<Arc<Client>, NoClient> {
        let call = self.mode.documents.call(client_id);
        let call = call.ok_or(NoClient::Unknown)?;
        let digest = client_digest(client_id);
        let known = self.documents.get(&digest, desk.now).cloned();
        if let Some(known) = known.as_ref().filter(|known| desk.now < known.fresh_until) {
            return Ok(Arc::clone(&known.client));
        }
        let or_stale = |outage| {
            let known = known.map(|known| known.client);
            known.ok_or(NoClient::Outage(outage))
        };
        match self.document_faults.get(&digest, desk.now) {
            Some(DocumentFault::Wrong) => return Err(NoClient::Unknown),
            Some(DocumentFault::Outage(outage)) => return or_stale(*outage),
            None if tried.client => return or_stale(Outage::WaitedTooLong),
            None => {}
        }
        let errand = document_errand(client_id);
        if let Errand::ClientDocument(host, _) = &errand
            && !desk.flights.is_under_way(&errand, desk.now)
        {
            if !desk.flights.has_room_for_document(host, desk.now) {
                return or_stale(Outage::NoRoom);
            }
            let pending = PendingCall::new(Underway::ClientDocument(client_id.into()));
            desk.flights.start(pending, call, desk.now);
        }
        Err(NoClient::Wait(errand))
    }

    /// Keeps what the document of a client said.
    pub(super) fn keep_document(
        &mut self,
        client_id: &str,
        finding: DocumentFinding,
        now: UnixSeconds,
    ) {
        let digest = client_digest(client_id);
        let fresh_until = now.plus(finding.life);
        match finding.known {
            Ok(client) => {
                let described = DescribedClient {
                    client,
                    fresh_until,
                };
                let until = fresh_until.plus(STALE_SECONDS);
                self.documents.insert(digest, described, now, until);
            }
            Err(fault) => {
                if fault == DocumentFault::Wrong {
                    self.documents.remove(&digest);
                }
                // Apart from the clients, so that made up ones push nobody out.
                self.document_faults.insert(digest, fault, now, fresh_until);
            }
        }
    }
}
