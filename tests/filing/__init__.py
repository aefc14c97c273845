"""Filing: verification, signatures and PDFs of finished runs."""
