//! L2TP/IPsec client and server as sans-IO state machines with a shared data plane.
