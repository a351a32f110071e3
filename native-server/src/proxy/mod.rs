//! The host side of the engine: sockets, timers and streams.

mod answer;
mod beside;
mod body;
mod calls;
mod connection;
mod connector;
mod decide;
mod forward;
mod forwarded;
mod head;
mod hop;
mod ledger;
mod link;
mod pool;
mod protocol;
mod refresh;
mod resolver;
mod scribe;
mod serve;
mod service;
mod slot;
mod target;
mod trail;
mod tunnel;
mod upload;
mod watch;
mod worker;

pub(crate) use calls::{CallClient, FailedCall};
pub(crate) use connector::Connector;
pub(crate) use decide::Gate;
pub(crate) use forward::Forwarder;
pub(crate) use ledger::SharedLedger;
pub(crate) use refresh::refresh;
pub(crate) use resolver::Unresolved;
pub(crate) use serve::serve;
pub(crate) use service::{Current, Role, Service};
