//! Bodies that stream through, with limits.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};

use super::link::Link;
use super::pool::Pool;
use super::watch::Busy;

type BoxError = Box<dyn Error + Send + Sync>;

/// How long a request body may pause.
const STALL_LIMIT: Duration = Duration::from_secs(60);

/// A response body: the gateway's own, or that of the protected resource as it comes.
pub(super) struct ResponseBody {
    source: Source,
    /// The request counts as under way until its response has left.
    busy: Option<Busy>,
}

enum Source {
    Local(Full<Bytes>),
    /// What comes before and after the end of a body; each is taken once.
    Trailed(Option<Bytes>, Option<Box<HeaderMap>>),
    Upstream(Upstream),
}

/// A body that comes from the protected resource.
pub(super) struct Upstream {
    body: Incoming,
    /// The connection that it comes on, unless that has a task of its own; given back at the end.
    link: Option<(Link, Arc<Pool>)>,
}

impl Upstream {
    /// Takes a body that somebody else drives.
    pub(super) const fn driven(body: Incoming) -> Self {
        Self { body, link: None }
    }

    /// Takes a body with the connection that it comes on, which goes back to `pool` once the body
    /// has ended.
    pub(super) fn driving(body: Incoming, link: Link, pool: Arc<Pool>) -> Self {
        Self {
            body,
            link: Some((link, pool)),
        }
    }

    fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let mut frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_pending()
            && let Some((link, _)) = &mut self.link
        {
            link.drive(context);
            frame = Pin::new(&mut self.body).poll_frame(context);
        }
        let ended = match &frame {
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || self.body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => true,
            Poll::Pending => false,
        };
        if ended && let Some((link, pool)) = self.link.take() {
            pool.give_back(link, context);
        }
        frame
    }
}

impl ResponseBody {
    pub(super) const fn local(body: Full<Bytes>) -> Self {
        Self {
            source: Source::Local(body),
            busy: None,
        }
    }

    /// Makes a body with trailers.
    pub(super) fn trailed(body: Bytes, trailers: HeaderMap) -> Self {
        Self {
            source: Source::Trailed(Some(body), Some(Box::new(trailers))),
            busy: None,
        }
    }

    pub(super) const fn upstream(body: Upstream) -> Self {
        Self {
            source: Source::Upstream(body),
            busy: None,
        }
    }

    pub(super) fn keeping(self, busy: Busy) -> Self {
        Self {
            busy: Some(busy),
            ..self
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match &mut self.source {
            Source::Local(body) => ready!(Pin::new(body).poll_frame(context)).map(|frame| {
                // The error type has no values.
                frame.map_err(Into::into)
            }),
            Source::Trailed(body, trailers) => {
                let trailers = || Some(Frame::trailers(*trailers.take()?));
                body.take().map(Frame::data).or_else(trailers).map(Ok)
            }
            Source::Upstream(upstream) => {
                ready!(upstream.poll_frame(context)).map(|frame| frame.map_err(Into::into))
            }
        };
        if frame.is_none() {
            self.busy = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Local(body) => body.is_end_stream(),
            Source::Trailed(body, trailers) => body.is_none() && trailers.is_none(),
            Source::Upstream(upstream) => upstream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Local(body) => body.size_hint(),
            Source::Trailed(..) => SizeHint::default(),
            Source::Upstream(upstream) => upstream.body.size_hint(),
        }
    }
}

/// A request body on its way to the protected resource.
pub(super) struct RequestBody {
    body: Incoming,
    left: u64,
    /// Runs while nothing comes.
    stall: Option<Pin<Box<Sleep>>>,
    /// Becomes true when nothing more is wanted of the body.
    ended: Option<Arc<AtomicBool>>,
}

/// Why a request body was broken off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BodyFault {
    /// It is larger than allowed.
    TooLarge,
    /// It paused for too long.
    Stalled,
    /// The client broke it off.
    Cut,
}

impl fmt::Display for BodyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "request body too large",
            Self::Stalled => "request body stalled",
            Self::Cut => "request body cut",
        })
    }
}

impl Error for BodyFault {}

impl BodyFault {
    /// Finds a fault among the causes of `error`.
    pub(super) fn cause_of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref() {
                return Some(*fault);
            }
            next = error.source();
        }
        None
    }
}

impl RequestBody {
    /// Lets `body` through up to `limit` bytes.
    ///
    /// # Errors
    ///
    /// Refuses a body that declares to be larger.
    pub(super) fn new(body: Incoming, limit: u64) -> Result<Self, BodyFault> {
        if body.size_hint().lower() > limit {
            return Err(BodyFault::TooLarge);
        }
        Ok(Self {
            body,
            left: limit,
            stall: None,
            ended: None,
        })
    }

    /// Sets `ended` to true once the connection that the body is sent on lets go of it.
    pub(super) fn tell_end(&mut self, ended: &Arc<AtomicBool>) {
        self.ended = Some(Arc::clone(ended));
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(ended) = &self.ended {
            ended.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) else {
            let stall = self
                .stall
                .get_or_insert_with(|| Box::pin(sleep(STALL_LIMIT)));
            ready!(stall.as_mut().poll(context));
            return Poll::Ready(Some(Err(BodyFault::Stalled.into())));
        };
        self.stall = None;
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Poll::Ready(Some(Err(BodyFault::Cut.into()))),
            None => return Poll::Ready(None),
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match u64::try_from(length)
            .ok()
            .and_then(|length| self.left.checked_sub(length))
        {
            Some(left) => self.left = left,
            None => return Poll::Ready(Some(Err(BodyFault::TooLarge.into()))),
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
