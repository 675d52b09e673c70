"""The sites' web application: upload, blinded scoring, worker, queries, exports, audit trail (needs the extra `portal`)."""
