"""The bundled agent: examines the console that it runs in, and reports to it as any other agent does (docs/doctor.md)."""
