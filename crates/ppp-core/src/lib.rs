//! PPP as a sans-IO state machine: LCP, PAP, CHAP, MS-CHAPv2, IPCP, IPv6CP, both roles.
