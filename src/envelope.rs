//! What a carrier needs in order to submit a message: addresses, options and the encoded parts, as one run of octets.
