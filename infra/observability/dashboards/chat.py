"""What people notice: is it there, is it quick, does it find their documents."""

from infra.observability.dashboards.grafana import Dashboard, panel, query

API = 'job="api", namespace="$chat"'
ENGINE = 'job="engine", namespace="$chat"'


def quantile(share: float, histogram: str, by: str = "") -> str:
    """Return the value under which ``share`` of the observations lie, over five minutes."""
    kept = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({kept}) (rate({histogram}[5m])))"


CHAT = Dashboard(
    name="chat",
    title="Chat",
    components=frozenset({"api", "engine"}),
    panels=(
        panel(
            "Requests",
            query(f"sum by (route) (rate(chatbot_http_request_seconds_count{{{API}}}[5m]))", "{{route}}"),
            unit="reqps",
        ),
        panel(
            "Share that fails",
            query(
                f'sum(rate(chatbot_http_request_seconds_count{{{API}, status=~"5.."}}[5m]))'
                f" / sum(rate(chatbot_http_request_seconds_count{{{API}}}[5m]))",
                "5xx",
            ),
            query(
                f'sum(rate(chatbot_http_request_seconds_count{{{API}, status="499"}}[5m]))'
                f" / sum(rate(chatbot_http_request_seconds_count{{{API}}}[5m]))",
                "reader left",
            ),
            unit="percentunit",
            red_above=0.05,
        ),
        panel(
            "Answers given without a store",
            query(f"sum by (store) (rate(chatbot_notices_total{{{API}}}[5m]))", "{{store}}"),
            unit="ops",
            description="Chats that went on although history or documents could not be reached.",
        ),
        panel(
            "Time to first token, as people see it",
            query(quantile(0.5, f"chatbot_time_to_first_token_seconds_bucket{{{API}}}"), "half"),
            query(quantile(0.95, f"chatbot_time_to_first_token_seconds_bucket{{{API}}}"), "19 of 20"),
            unit="s",
            red_above=10,
            description="From the question to the first text: retrieval and waiting for the engine are part of it.",
        ),
        panel(
            "Time to first token, of the engine",
            query(quantile(0.5, f"vllm:time_to_first_token_seconds_bucket{{{ENGINE}}}"), "half"),
            query(quantile(0.95, f"vllm:time_to_first_token_seconds_bucket{{{ENGINE}}}"), "19 of 20"),
            unit="s",
            red_above=10,
        ),
        panel(
            "Time between tokens",
            query(quantile(0.5, f"vllm:inter_token_latency_seconds_bucket{{{ENGINE}}}"), "half"),
            query(quantile(0.95, f"vllm:inter_token_latency_seconds_bucket{{{ENGINE}}}"), "19 of 20"),
            unit="s",
        ),
        panel(
            "Time of a whole answer",
            query(quantile(0.5, f"vllm:e2e_request_latency_seconds_bucket{{{ENGINE}}}"), "half"),
            query(quantile(0.95, f"vllm:e2e_request_latency_seconds_bucket{{{ENGINE}}}"), "19 of 20"),
            unit="s",
        ),
        panel(
            "Tokens a second",
            query(
                f"sum by (model_name) (rate(vllm:generation_tokens_total{{{ENGINE}}}[5m]))", "{{model_name}} written"
            ),
            query(f"sum by (model_name) (rate(vllm:prompt_tokens_total{{{ENGINE}}}[5m]))", "{{model_name}} read"),
        ),
        panel(
            "Queue",
            query(f"sum by (model_name) (vllm:num_requests_waiting{{{ENGINE}}})", "{{model_name}} waiting"),
            query(f"sum by (model_name) (vllm:num_requests_running{{{ENGINE}}})", "{{model_name}} running"),
            red_above=8,
        ),
        panel(
            "KV cache",
            query(f"max by (model_name) (vllm:kv_cache_usage_perc{{{ENGINE}}})", "{{model_name}}"),
            unit="percentunit",
            description="Share of the model's context that the answer in work holds. Near 100 %: answers are cut off.",
        ),
        panel(
            "How answers end",
            query(f"sum by (outcome) (rate(chatbot_answers_total{{{API}}}[5m]))", "{{outcome}}"),
            unit="ops",
            description="`failed` counts streams that broke in the middle, too; `interrupted`: the reader left.",
        ),
        panel(
            "How the engine ends",
            query(
                f"sum by (finished_reason) (rate(vllm:request_success_total{{{ENGINE}}}[5m]))", "{{finished_reason}}"
            ),
            unit="ops",
            description="`length`: cut off at the limit of tokens.",
        ),
        panel(
            "Retrieval",
            query(quantile(0.5, f"chatbot_retrieval_seconds_bucket{{{API}}}"), "half"),
            query(quantile(0.95, f"chatbot_retrieval_seconds_bucket{{{API}}}"), "19 of 20"),
            unit="s",
        ),
        panel(
            "Questions for which no passage was found",
            query(
                f'sum(rate(chatbot_retrieval_passages_bucket{{{API}, le="0.0"}}[5m]))'
                f" / sum(rate(chatbot_retrieval_passages_count{{{API}}}[5m]))",
                "of all",
            ),
            unit="percentunit",
            description="Many: the documents are not there, or are not about what people ask.",
        ),
        panel(
            "Turns that wait for Redis",
            query(f"sum(chatbot_history_pending{{{API}}})", "turns"),
            red_above=1,
        ),
        panel(
            "Logins",
            query(f"sum by (outcome) (rate(chatbot_logins_total{{{API}}}[5m]))", "{{outcome}}"),
            unit="ops",
            description="Through the organisation's issuer; every outcome but `signed_in` is a reason why not.",
        ),
        panel(
            "Memory of the processes",
            query(f"process_resident_memory_bytes{{{API}}}", "{{pod}}"),
            query(f"process_resident_memory_bytes{{{ENGINE}}}", "{{pod}}"),
            unit="bytes",
        ),
        panel(
            "Time of a request by route",
            query(quantile(0.95, f"chatbot_http_request_seconds_bucket{{{API}}}", "route"), "{{route}}"),
            unit="s",
            description="19 of 20 are quicker; a stream counts until its last token.",
        ),
        panel(
            "What api and engine write down",
            '{$log_namespace="$chat", $log_container=~"api|engine"} |~ `"level": ?"(error|warning|critical)"`',
            kind="logs",
            width=24,
        ),
    ),
)
"""Requests, answers, retrieval, and what the pods say about it."""
