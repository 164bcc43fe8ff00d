//! L2TPv2 message and AVP codec (RFC 2661), zero-copy, no_std without alloc.
