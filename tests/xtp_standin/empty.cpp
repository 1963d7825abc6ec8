// The library whose name the gateway asks for: everything is in libxtp_standin.so, which it needs.
