//! Texts that many have in common.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

/// More different texts are not looked through for each new one.
const MAX_TEXTS: usize = 16;

/// Hands out one copy of a text to all who ask for it while it is among the latest.
#[derive(Debug, Default)]
pub(crate) struct Pool(VecDeque<Arc<str>>);

impl Pool {
    /// Returns a shared copy of `text`.
    pub(crate) fn share(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| &***known == text) {
            return Arc::clone(known);
        }
        let shared = Arc::from(text);
        self.0.truncate(MAX_TEXTS - 1);
        self.0.push_front(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_few_are_kept() {
        let mut pool = Pool::default();
        let first = pool.share("a");
        assert!(Arc::ptr_eq(&first, &pool.share("a")));
        for number in 0..100_u32 {
            pool.share(&alloc::format!("{number}"));
        }
        assert_eq!(pool.0.len(), MAX_TEXTS);
        assert!(!Arc::ptr_eq(&first, &pool.share("a")));
    }
}
