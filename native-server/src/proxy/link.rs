//! One connection to the protected resource.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection, SendRequest};

use super::body::RequestBody;
use super::connector::Stream;
use super::target::Target;

/// A connection that has no task of its own: whoever uses it drives it.
///
/// A request and its response are then moved by the task of the client's connection alone, which
/// spares two switches between tasks for each request.
pub(super) struct Link {
    target: Arc<Target>,
    sender: SendRequest<RequestBody>,
    /// Gone once it has ended, and with it all that hangs on it.
    connection: Option<Box<Connection<Stream, RequestBody>>>,
    /// Whether the whole request of the present exchange has been taken over.
    sent: Arc<AtomicBool>,
}

impl Link {
    /// Speaks HTTP/1.1 on `stream`, a connection to `target`.
    pub(super) async fn open(stream: Stream, target: &Arc<Target>) -> hyper::Result<Self> {
        let (sender, connection) = Builder::new().handshake(stream).await?;
        Ok(Self {
            target: Arc::clone(target),
            sender,
            connection: Some(Box::new(connection)),
            sent: Arc::default(),
        })
    }

    /// Tells whether this is a connection to that very target.
    pub(super) fn leads_to(&self, target: &Arc<Target>) -> bool {
        Arc::ptr_eq(&self.target, target)
    }

    /// Sends a request and waits for the head of its response. Dropping the future must be
    /// followed by dropping the link.
    ///
    /// # Errors
    ///
    /// The request comes back with the error when nothing of it was sent.
    pub(super) async fn exchange(
        &mut self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        self.sent.store(false, Ordering::Relaxed);
        request.body_mut().tell_end(&self.sent);
        let mut response = pin!(self.sender.try_send_request(request));
        std::future::poll_fn(|context| {
            self.drive(context);
            response.as_mut().poll(context)
        })
        .await
    }

    /// Moves what is under way.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) {
        let connection = self.connection.as_mut();
        if connection.is_some_and(|connection| Pin::new(connection).poll(context).is_ready()) {
            self.connection = None;
        }
    }

    /// Tells whether the whole request has left for the connection.
    pub(super) fn has_sent(&self) -> bool {
        self.sent.load(Ordering::Relaxed)
    }

    /// Tells whether the next request may be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.is_some() && self.sender.is_ready()
    }

    /// Tells whether the connection has not ended yet.
    pub(super) const fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Drives until the next request may be sent; false when the connection has ended instead.
    pub(super) async fn finish(&mut self) -> bool {
        std::future::poll_fn(|context| {
            self.drive(context);
            if self.connection.is_none() {
                return Poll::Ready(false);
            }
            self.sender.poll_ready(context).map(|ready| ready.is_ok())
        })
        .await
    }
}
