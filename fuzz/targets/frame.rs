#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| wsembed_fuzz::frame::run(input));
