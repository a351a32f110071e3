//! What many callers have in common.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;

/// More different ones are not looked through for each new caller.
const MAX_KEPT: usize = 16;

/// The values that callers share, as the protected resource is told them.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct Common {
    pub(crate) issuer: Option<String>,
    pub(crate) scope: Option<String>,
}

/// Hands out one copy of what is equal to all who ask for it while it is among the latest.
#[derive(Debug, Default)]
pub(crate) struct Pool(VecDeque<Arc<Common>>);

impl Pool {
    /// Returns a shared copy of `common`.
    pub(crate) fn share(&mut self, common: Common) -> Arc<Common> {
        if let Some(known) = self.0.iter().find(|known| ***known == common) {
            return Arc::clone(known);
        }
        let shared = Arc::new(common);
        self.0.truncate(MAX_KEPT - 1);
        self.0.push_front(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn what_is_equal_is_kept_once_and_little_is_kept() {
        let common = |issuer: &str| Common {
            issuer: Some(issuer.into()),
            scope: None,
        };
        let mut pool = Pool::default();
        let first = pool.share(common("a"));
        assert!(Arc::ptr_eq(&first, &pool.share(common("a"))));
        for number in 0..100_u32 {
            pool.share(common(&format!("{number}")));
        }
        assert_eq!(pool.0.len(), MAX_KEPT);
        assert!(!Arc::ptr_eq(&first, &pool.share(common("a"))));
    }
}
