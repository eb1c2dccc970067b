"""Why one source is banned, or is not: what is known of it, and what each rule makes of it."""
