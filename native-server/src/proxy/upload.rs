//! The body of a request on which nothing is decided yet.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::body::BodyFault;

/// How long all of a body may take that the gateway reads itself.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// What is read, at most, of a body that nobody wants.
const DRAIN_BYTES: usize = 1024 * 1024;
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// A body that the gateway reads, passes on or throws away.
pub(super) struct Upload<B = Incoming> {
    body: B,
    /// The client sends it when it is told to go on (RFC 9110 §10.1.1), which it is when the body
    /// is first asked for.
    held_back: bool,
}

impl<B> Upload<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Takes the body of a request with these fields.
    pub(super) fn new(body: B, headers: &HeaderMap) -> Self {
        let held_back = headers.contains_key(EXPECT);
        Self { body, held_back }
    }

    /// Reads all of it, if that is at most `max_octets`.
    pub(super) async fn read(&mut self, max_octets: usize) -> Result<Bytes, BodyFault> {
        self.held_back = false;
        let whole = Limited::new(&mut self.body, max_octets).collect();
        match timeout(READ_LIMIT, whole).await {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyFault::TooLarge),
            Ok(Err(_)) => Err(BodyFault::Cut),
            Err(_) => Err(BodyFault::Stalled),
        }
    }

    /// Returns the body, to be passed on.
    pub(super) fn into_body(self) -> B {
        self.body
    }
}

impl Upload {
    /// Reads on in the background what a client still sends of a body that nobody wants, up to a
    /// limit: closing at once would reset the connection, and the client might never see the
    /// response.
    pub(super) fn drain(self) {
        let mut body = self.body;
        if self.held_back || body.is_end_stream() {
            return;
        }
        tokio::spawn(async move {
            let mut left = DRAIN_BYTES;
            let reading = async {
                while let Some(Ok(frame)) = body.frame().await {
                    let length = frame.data_ref().map_or(0, Bytes::len);
                    let Some(rest) = left.checked_sub(length) else {
                        return;
                    };
                    left = rest;
                }
            };
            // Late or complete, nothing is left to do.
            drop(timeout(DRAIN_LIMIT, reading).await);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use http_body_util::Full;
    use hyper::body::Frame;

    /// A body that brings nothing and does not end.
    struct Silent;

    impl Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn body_is_read_up_to_the_limit() {
        let read = async |body: &'static str| {
            let body = Full::new(Bytes::from(body));
            Upload::new(body, &HeaderMap::new()).read(4).await
        };
        assert_eq!(read("").await, Ok(Bytes::new()));
        assert_eq!(read("four").await, Ok(Bytes::from("four")));
        assert_eq!(read("fives").await, Err(BodyFault::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn body_that_does_not_come_is_given_up() {
        let mut upload = Upload::new(Silent, &HeaderMap::new());
        assert_eq!(upload.read(4).await, Err(BodyFault::Stalled));
    }
}
