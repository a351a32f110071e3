//! One connection of a client.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use portcullis_core::Decision;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::{self, Failure};
use super::beside::{self, Asker};
use super::body::ResponseBody;
use super::forwarded::Via;
use super::head::Head;
use super::pool::Pool;
use super::protocol::Protocol;
use super::scribe::Scribe;
use super::service::{Current, Role};
use super::slot::Slot;
use super::trail::{Told, Trail};
use super::upload::Upload;
use super::watch::{Watch, Watched};
use crate::tls::Admission;

/// As much as Envoy takes by default.
const MAX_HEAD_BYTES: usize = 60 * 1024;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// What goes with a connection that was just accepted.
pub(super) struct Accepted {
    pub(super) peer: SocketAddr,
    pub(super) slot: Slot,
    /// Becomes true when no further request is wanted.
    pub(super) closing: watch::Receiver<bool>,
}

/// Serves one connection to its end.
pub(super) async fn serve(
    current: Arc<Current>,
    pool: Arc<Pool>,
    stream: TcpStream,
    accepted: Accepted,
) {
    let Accepted {
        peer,
        slot,
        closing,
    } = accepted;
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let peer = peer.ip().to_canonical();
    let Ok(address) = HeaderValue::try_from(peer.to_string()) else {
        return;
    };
    let (acceptor, admitted) = {
        let service = current.load();
        (service.tls.clone(), service.admission)
    };
    let mut ending = Ending {
        closing,
        admissions: current.admissions(),
        admitted,
    };
    let client = Arc::new(Client {
        via: Via {
            peer,
            address,
            https: acceptor.is_some(),
            slot: Arc::new(slot),
        },
        watch: Watch::new(),
        current,
        pool,
    });
    match acceptor {
        None => {
            let Some(protocol) = opened(Protocol::sniff(&stream), &mut ending).await else {
                return;
            };
            client.run(stream, protocol, ending).await;
        }
        Some(acceptor) => {
            let Some(stream) = opened(acceptor.accept(stream), &mut ending).await else {
                tracing::debug!("TLS handshake failed");
                return;
            };
            let protocol = Protocol::agreed(stream.get_ref().1.alpn_protocol());
            client.run(stream, protocol, ending).await;
        }
    }
}

/// The other end of a connection.
struct Client {
    current: Arc<Current>,
    pool: Arc<Pool>,
    via: Via,
    watch: Arc<Watch>,
}

impl Client {
    async fn run<S>(self: &Arc<Self>, stream: S, protocol: Protocol, ending: Ending)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        match protocol {
            Protocol::Http1 => {
                let stream = TokioIo::new(Watched::new(stream, Arc::clone(&self.watch)));
                self.run_http1(stream, ending).await;
            }
            Protocol::Http2 => self.run_http2(TokioIo::new(stream), ending).await,
        }
    }

    async fn run_http1<S>(self: &Arc<Self>, stream: TokioIo<S>, mut ending: Ending)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut connection = pin!(
            http1::Builder::new()
                .max_header_size(MAX_HEAD_BYTES)
                .max_buf_size(MAX_HEAD_BYTES)
                // At most 100 fields: that is what is taken by default, and only then without an
                // allocation.
                // The watch does it, as this one cannot tell an idle client from a slow one.
                .header_read_timeout(None)
                .timer(TokioTimer::new())
                .serve_connection(
                    stream,
                    service_fn(|request| Arc::clone(self).handle(request))
                )
                .with_upgrades()
        );
        let mut told = false;
        loop {
            tokio::select! {
                outcome = &mut connection => return note_end(outcome),
                () = self.watch.overdue() => return,
                () = ending.told(), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn run_http2<S>(self: &Arc<Self>, stream: TokioIo<S>, mut ending: Ending)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut connection = pin!(
            http2::Builder::new(TokioExecutor::new())
                .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX))
                .keep_alive_interval(PING_INTERVAL)
                .timer(TokioTimer::new())
                .serve_connection(
                    stream,
                    service_fn(|request| Arc::clone(self).handle(request))
                )
        );
        let mut told = false;
        loop {
            tokio::select! {
                outcome = &mut connection => return note_end(outcome),
                () = self.watch.overdue(), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = ending.told(), if !told => {
                    told = true;
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn handle(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let busy = self.watch.begin();
        let begun = Instant::now();
        let method = request.method().clone();
        let response = match self.answer(request).await {
            Ok(response) => response,
            Err(failure) => {
                failure.log();
                failure.respond(&method)
            }
        };
        self.via.slot.shard().requests.note(begun.elapsed());
        Ok(response.map(|body| body.keeping(busy)))
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Failure> {
        let service = self.current.load();
        let scribe = Scribe {
            service: &service,
            shard: self.via.slot.shard(),
        };
        let forwarder = match &service.role {
            Role::PassOn(forwarder) => forwarder,
            Role::Answer(askers) => {
                let asker = Asker::new(self.via.peer, askers.as_ref());
                return beside::answer(&scribe, asker, request).await;
            }
        };
        let method = request.method().clone();
        let (mut parts, body) = request.into_parts();
        let trail = Trail::begin(&service.telemetry, &parts);
        let head = Head::of(&parts).inspect_err(|failure| {
            scribe.note_failure(*failure, &parts, self.via.peer);
        })?;
        let request = head.as_request(self.via.peer);
        let mut upload = Upload::new(body, &parts.headers);
        let cause = trail.cause();
        let decided = service.gate.decide(&request, &mut upload, cause).await;
        scribe.note(&request, &decided, cause);
        let mut told = Told {
            mode: service.gate.mode.name(),
            outcome: decided.decision.outcome(),
            reason: decided.decision.reason(),
            basis: decided.basis,
            status: 0,
        };
        let carried_out = match decided.decision {
            Decision::Respond(local) => {
                upload.drain();
                Ok(answer::respond(local, &method))
            }
            Decision::Forward(_) if method == Method::CONNECT => Err(Failure::BadMethod),
            Decision::Forward(forward) => {
                trail.pass_on(&mut parts.headers);
                let request = Request::from_parts(parts, upload.into_body());
                forwarder
                    .forward(&forward, request, &self.via, &self.pool)
                    .await
            }
        };
        let telemetry = &service.telemetry;
        told.status = match &carried_out {
            Ok(response) => response.status().as_u16(),
            Err(failure) => {
                telemetry.count_forward_failure(failure.reason());
                failure.status().as_u16()
            }
        };
        trail.end(telemetry, &told);
        carried_out
    }
}

/// Returns what a connection begins with, unless that takes too long, fails, or is no longer wanted:
/// a client that has not sent anything is not waited for.
async fn opened<T>(
    beginning: impl Future<Output = io::Result<T>>,
    ending: &mut Ending,
) -> Option<T> {
    tokio::select! {
        biased;
        begun = timeout(HANDSHAKE_LIMIT, beginning) => begun.ok()?.ok(),
        () = ending.told() => None,
    }
}

/// What says that no further request of a connection is wanted.
struct Ending {
    /// The program is to end.
    closing: watch::Receiver<bool>,
    admissions: watch::Receiver<Admission>,
    /// What the client had to show: where that is something else by now, it has to come again.
    admitted: Admission,
}

impl Ending {
    /// Waits until it is so. The senders outlive the connections; were they gone, ending would be
    /// right too.
    async fn told(&mut self) {
        let Self {
            closing,
            admissions,
            admitted,
        } = self;
        let closing = async { drop(closing.wait_for(|closing| *closing).await) };
        let changed = async { drop(admissions.wait_for(|now| now != admitted).await) };
        tokio::select! {
            () = closing => {}
            () = changed => {}
        }
    }
}

fn note_end(outcome: hyper::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "connection ended");
    }
}
