//! Where messages leave: the SMPP client towards carriers.
