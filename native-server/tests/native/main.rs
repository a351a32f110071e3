//! Black box: the real binary on loopback sockets.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

mod admin;
mod audit;
mod beside;
mod calls;
mod check;
mod client_config;
mod command_line;
mod forwarding;
mod grpc;
mod hostile;
mod keys;
mod limits;
mod reload;
mod settings;
mod shutdown;
mod state;
mod streaming;
mod support;
mod tls;
mod token;
mod traces;
