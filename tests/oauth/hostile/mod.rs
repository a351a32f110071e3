//! People who mean harm, at both gateways: each case is a function, whose name is the rule.

mod callback;
mod codes;
mod consent;
mod documents;
mod host;
mod redirects;
mod seals;
mod sizes;
mod tokens;
