//! The record of a shared call.

use portcullis_core::{Digest, UnixSeconds};

/// Workers that are told of an outcome; further ones see it at their next tick.
const MAX_QUEUES: usize = 256;

/// What is known of a shared call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Record {
    /// A worker makes it.
    Promised(Promised),
    /// It was made.
    Outcome(Outcome),
}

/// A call that a worker makes for all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Promised {
    /// The call, concealed.
    pub(crate) name: Digest,
    /// Counts the promises of the record, whatever call they are about.
    pub(crate) generation: u64,
    /// Then another may take the promise over.
    pub(crate) deadline: UnixSeconds,
    /// The worker that makes it.
    pub(crate) holder: u64,
    /// Who is to be told of the outcome.
    pub(crate) queues: Vec<u32>,
}

/// What came of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// The call, concealed.
    pub(crate) name: Digest,
    /// That of the promise.
    pub(crate) generation: u64,
    /// The finding, written down.
    pub(crate) finding: Vec<u8>,
}

impl Record {
    /// Writes the record.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        let (kind, name, generation) = match self {
            Self::Promised(promised) => (b'p', &promised.name, promised.generation),
            Self::Outcome(outcome) => (b'o', &outcome.name, outcome.generation),
        };
        let mut out = vec![kind];
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&generation.to_be_bytes());
        match self {
            Self::Promised(promised) => {
                out.extend_from_slice(&promised.deadline.0.to_be_bytes());
                out.extend_from_slice(&promised.holder.to_be_bytes());
                let queues = promised.queues.iter().take(MAX_QUEUES);
                out.extend(queues.flat_map(|queue| queue.to_be_bytes()));
            }
            Self::Outcome(outcome) => out.extend_from_slice(&outcome.finding),
        }
        out
    }

    /// Reads what [`Self::to_octets`] wrote; `None` when it is anything else.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let (kind, rest) = octets.split_first()?;
        let (name, rest) = rest.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (name, generation) = (Digest::from_bytes(*name), u64::from_be_bytes(*generation));
        match kind {
            b'p' => {
                let (deadline, rest) = rest.split_first_chunk()?;
                let (holder, rest) = rest.split_first_chunk()?;
                let queues = rest.chunks(4).take(MAX_QUEUES);
                let queues: Option<Vec<u32>> = queues
                    .map(|queue| queue.try_into().ok().map(u32::from_be_bytes))
                    .collect();
                Some(Self::Promised(Promised {
                    name,
                    generation,
                    deadline: UnixSeconds(u64::from_be_bytes(*deadline)),
                    holder: u64::from_be_bytes(*holder),
                    queues: queues?,
                }))
            }
            b'o' => Some(Self::Outcome(Outcome {
                name,
                generation,
                finding: rest.to_vec(),
            })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written_and_not_when_they_are_cut() {
        let name = Digest::plain(b"x");
        let promised = Record::Promised(Promised {
            name,
            generation: 7,
            deadline: UnixSeconds(1_800_000_000),
            holder: 1 << 60,
            queues: vec![1, 2, u32::MAX],
        });
        let outcome = Record::Outcome(Outcome {
            name,
            generation: u64::MAX,
            finding: b"finding".to_vec(),
        });
        for record in [promised, outcome] {
            let octets = record.to_octets();
            assert_eq!(Record::from_octets(&octets), Some(record));
            for length in 0..41 {
                assert_eq!(Record::from_octets(&octets[..length]), None, "{length}");
            }
        }
        assert_eq!(Record::from_octets(&[b'x'; 64]), None);
        assert_eq!(Record::from_octets(&[b'p'; 59]), None, "half a queue");
    }
}
