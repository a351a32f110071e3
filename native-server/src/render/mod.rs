//! Configurations of other proxies.
