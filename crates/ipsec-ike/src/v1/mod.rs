//! What only version 1 has (RFC 2409).
