//! The same requests through both gateways: equal answers, equal traffic to the outside.
