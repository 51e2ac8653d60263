//! The nouns: tenants, carriers, ids, times, money, states.
