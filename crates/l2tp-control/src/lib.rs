//! L2TPv2 control connection and calls (RFC 2661): LAC and LNS as sans-IO state machines.
