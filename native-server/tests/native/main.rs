//! Black box: the real binary on loopback sockets.

mod forwarding;
mod limits;
mod settings;
mod shutdown;
mod state;
mod streaming;
mod support;
mod tls;
